// SPDX-License-Identifier: Apache-2.0

package import NIOCore

extension GRPCServer {
  /// Where a server listens and what it allows its clients.
  package struct Configuration: Sendable {
    /// The sockets to listen on.
    package var listeners: [GRPCListener]

    /// What one connection may cost.
    package var limits = HTTP2Limits()

    /// How connections live and die.
    package var lifetime = ConnectionLifetime()

    /// Connections at once; one more is closed as soon as it is accepted.
    package var maxConnections = 100_000

    /// Connections that the kernel keeps for us to accept.
    ///
    /// A thousand clients that reconnect in
    /// the same instant must not lose SYNs.
    package var backlog = 4096

    /// Unsent bytes that the kernel takes per connection.
    ///
    /// More would only queue stale versions.
    package var notSentLowWatermark = 128 * 1024

    /// Over how long the ends of calls are spread at shutdown, so that clients do not stampede.
    package var drainTime = TimeAmount.seconds(5)

    /// Makes a configuration with the default limits.
    package init(listeners: [GRPCListener]) {
      self.listeners = listeners
    }
  }
}
