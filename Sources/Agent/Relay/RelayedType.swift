// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI

/// A type whose messages pass through as they are: what is needed to go on with another upstream.
struct RelayedType {
  // Of what is not answered yet; a server that sends more before an answer does not wait for any.
  private static let nonceLimit = 32

  /// Envoy's newest request, without its node and error.
  private(set) var latest: DiscoveryRequestMessage
  /// The nonces of this upstream stream from the one that Envoy answered last, oldest first.
  private var nonces: [String] = []
  /// Whether Envoy has answered the first of them.
  private var isFirstAnswered = false

  init(_ request: DiscoveryRequestMessage) { latest = request }

  mutating func note(_ request: DiscoveryRequestMessage) {
    latest = request
    latest.clearNode()
    latest.clearErrorDetail()
    if let index = nonces.firstIndex(of: request.responseNonce) {
      nonces.removeFirst(index)
      isFirstAnswered = true
    }
  }

  mutating func noteResponse(nonce: String) {
    nonces.append(nonce)
    if nonces.count > Self.nonceLimit {
      nonces.removeFirst()
      isFirstAnswered = false
    }
  }

  mutating func forgetNonces() {
    nonces = []
    isFirstAnswered = false
  }

  /// Whether a request answers, or follows, a response of this upstream stream.
  func knows(_ nonce: String) -> Bool { nonces.contains(nonce) }

  /// Whether Envoy will come back to a response of this stream, with all names that it wants then.
  var awaitsAnswer: Bool { nonces.count > (isFirstAnswered ? 1 : 0) }

  /// The request that makes the subscription on another stream.
  var replay: DiscoveryRequestMessage {
    var request = latest
    request.responseNonce = ""
    return request
  }
}
