// SPDX-License-Identifier: Apache-2.0

import MeshModel
import XDS

/// A type of which the agent is the server for Envoy and the client of skiffd.
struct InterceptedType {
  /// A response of the server and what it was told.
  struct Answer {
    enum Verdict: Hashable {
      case none, acked
      /// With the names of the refused resources.
      case nacked(Set<String>)
    }

    var nonce: String
    var versionInfo: String
    /// By name.
    var resources: [String: ContentHash]
    /// When it is answered though Envoy has not said a word.
    var deadline: ContinuousClock.Instant
    var verdict = Verdict.none
  }

  let typeURL: TypeURL
  /// Envoy's subscription, as on its newest request; nil before the first.
  var names: [String]?
  /// Of the server, the last one that was accepted.
  var acceptedVersion = ""
  /// The latest response on this upstream stream.
  var answer: Answer?
  var supplies: [String: ResourceSupply] = [:]
  /// Whether the server has ever sent this type.
  var hasResponse = false
  /// What Envoy is given.
  private(set) var placed = ResourceSet.empty
  /// Whether a supply may have changed since.
  var isDirty = false
  /// The response that Envoy has not answered.
  var unansweredNonce: Nonce?
  /// Envoy's first and newest request, while it must not be answered.
  var held: [DiscoveryRequest] = []
  /// Once Envoy's requests are no longer held.
  var isOpen: Bool

  init(_ typeURL: TypeURL) {
    self.typeURL = typeURL
    // Other types are not answered while there is nothing.
    isOpen = !typeURL.isFullState
  }

  func wants(_ name: String) -> Bool {
    guard let names else { return false }
    return names.contains(name) || names.contains("*") || names.isEmpty && typeURL.isWildcardType
  }

  /// Whether answering Envoy takes nothing away from it.
  ///
  /// An empty answer to a wildcard deletes everything, so there is none before the server has spoken.
  /// And an Envoy that comes with a version has listeners: those that wait for a module are not
  /// placed yet, and would be deleted.
  var mayOpen: Bool {
    guard hasResponse else { return false }
    return held.first?.versionInfo.isEmpty ?? true
      || supplies.values.allSatisfy { $0.placement != nil }
  }

  mutating func hold(_ request: DiscoveryRequest) {
    if held.count > 1 { held.removeLast() }
    held.append(request)
  }

  /// Rebuilds what Envoy is given; false if it is the same.
  mutating func place() -> Bool {
    guard isDirty else { return false }
    isDirty = false
    let set = ResourceSet(supplies.values.compactMap { $0.placement?.resource })
    guard set.version != placed.version else { return false }
    placed = set
    return true
  }
}
