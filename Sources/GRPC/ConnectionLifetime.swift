// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// How long a connection lives, and how it is found dead.
package struct ConnectionLifetime: Sendable {
  /// Quiet time before a peer is pinged.
  package var keepaliveInterval = TimeAmount.seconds(30)

  /// Time that a pinged peer has to send anything at all before it is dropped.
  package var keepaliveTimeout = TimeAmount.seconds(10)

  /// Time from accepting a connection to the peer's SETTINGS, TLS included.
  package var handshakeTimeout = TimeAmount.seconds(10)

  /// Age at which a connection is asked to go, so that clients spread over servers; nil is never.
  package var maxAge: TimeAmount?

  /// Share of `maxAge` by which it varies to both sides, so that clients do not leave in step.
  package var maxAgeJitter = 0.1

  /// Time that calls have after `maxAge` before they are ended.
  package var maxAgeGrace = TimeAmount.seconds(30)

  /// Time that a connection has to write the ends of its calls, and its peer to close, before it is
  /// cut.
  package var closeGrace = TimeAmount.seconds(2)

  /// How often connections are looked after: often enough for the shortest of the times.
  var sweepInterval: TimeAmount {
    let shortest = min(
      handshakeTimeout, keepaliveInterval, keepaliveTimeout, closeGrace, maxAge ?? .hours(1))
    return max(.milliseconds(5), min(.seconds(1), .nanoseconds(shortest.nanoseconds / 4)))
  }

  func jitteredAge() -> TimeAmount? {
    maxAge.map { age in
      let factor = 1 + Double.random(in: -maxAgeJitter...maxAgeJitter)
      return .nanoseconds(Int64(Double(age.nanoseconds) * factor))
    }
  }
}
