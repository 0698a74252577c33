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
  /// The names of supplies that may have changed since everything was settled.
  var touched: Set<String> = []
  /// The names of supplies that are undecided, or refused by the agent.
  private(set) var undecided: Set<String> = []
  private(set) var refused: Set<String> = []
  /// When the next rounds of supplies begin.
  private(set) var nextAttempts: [String: ContinuousClock.Instant] = [:]
  /// One for each module of a resource, by name of the resource.
  private(set) var statuses: [ModuleStatus] = []
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
    let isSame = touched.allSatisfy {
      supplies[$0]?.placement?.resource.version == placed[$0]?.version
    }
    guard !isSame else { return false }
    placed = ResourceSet(supplies.values.compactMap { $0.placement?.resource })
    return true
  }

  /// Notes what is asked of supplies at every event, so that it is asked of the touched ones alone.
  mutating func review() {
    for name in touched {
      let supply = supplies[name]
      nextAttempts[name] = supply?.nextAttempt
      undecided.remove(name)
      refused.remove(name)
      guard let supply else { continue }
      if supply.isUndecided { undecided.insert(name) }
      if supply.refusal != nil { refused.insert(name) }
    }
  }

  /// Notes the statuses of a supply; false if they are the same.
  mutating func noteStatuses(of name: String) -> Bool {
    var known: Set<ModuleStatus.Key> = []
    let newer = (supplies[name]?.statuses ?? []).filter { known.insert($0.key).inserted }
    let range = statusRange(of: name)
    guard !statuses[range].elementsEqual(newer) else { return false }
    statuses.replaceSubrange(range, with: newer)
    return true
  }

  /// Where the statuses of a resource are, or would be.
  func statusRange(of name: String) -> Range<Int> {
    var (start, end) = (0, statuses.count)
    while start < end {
      let middle = (start + end) / 2
      if statuses[middle].key.resource < name { start = middle + 1 } else { end = middle }
    }
    while end < statuses.count, statuses[end].key.resource == name { end += 1 }
    return start..<end
  }
}
