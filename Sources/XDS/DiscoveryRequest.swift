// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// A DiscoveryRequest of the state-of-the-world protocol, without its node.
///
/// The node comes with the first request of a stream only and is the server's business.
/// See https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
package struct DiscoveryRequest: Hashable, Sendable {
  package var typeURL: TypeURL
  /// The version that the client accepted last, on this stream or on an earlier one; may be empty.
  package var versionInfo: String
  /// As on the wire, so that the usual case, nothing new, needs no set.
  package var resourceNames: [String]
  /// Nil where the field is empty.
  package var responseNonce: Nonce?
  /// The message of `error_detail`; not nil means NACK, even if empty.
  package var errorDetail: String?

  package init(
    typeURL: TypeURL, versionInfo: String = "", resourceNames: [String] = [],
    responseNonce: Nonce? = nil, errorDetail: String? = nil
  ) {
    self.typeURL = typeURL
    self.versionInfo = versionInfo
    self.resourceNames = resourceNames
    self.responseNonce = responseNonce
    self.errorDetail = errorDetail
  }
}

/// What a request turned out to mean, for the server's log and metrics.
package enum RequestOutcome: Hashable, Sendable {
  /// A new or re-created subscription; after a reconnect it may be that nothing needs to be sent.
  case subscribed
  case unsubscribed
  /// The response was accepted, this long after it was taken from `next(at:)`.
  case acked(Nonce, after: Duration)
  case rejected(Rejection)
  /// The current nonce once more: only the names can have changed.
  case repeated
  /// A nonce that has been overtaken; the whole request counts as not received.
  case stale(Nonce)
  /// A NACK of nothing (no subscription, or no nonce), or one unknown type too many.
  case ignored
}
