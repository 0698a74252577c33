// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// A response that a proxy refused, in its own words, and who is to blame.
package struct Rejection: Hashable, Sendable {
  package let typeURL: TypeURL
  package let nonce: Nonce
  /// The version_info of the refused response.
  package let version: ContentHash
  /// Envoy's text, its first 16 KiB.
  package let reason: String
  package let at: ContinuousClock.Instant
  /// The names of the resources to blame: those that the text names, else those that had changed.
  package let resources: [String]
  /// The objects whose change caused it, else all that the blamed resources were made from.
  package let origins: [Origin]

  /// The rejection as problems of the objects that caused it; one without an object if none is known.
  package var problems: [ConfigError] {
    let type = typeURL.shortName ?? typeURL.rawValue
    let reason = "rejected by the proxy (\(type) \(resources.joined(separator: ", "))): \(reason)"
    guard !origins.isEmpty else { return [ConfigError(.rejected, reason: reason)] }
    return origins.map {
      ConfigError(.rejected, object: $0.object, at: $0.path, reason: reason)
    }
  }
}
