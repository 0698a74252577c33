// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The part of a resource set that one stream gets, by reference to the set.
///
/// A stream remembers what it sent as selections, so ten thousand streams of a class share one set
/// and one set of names instead of each keeping a table of versions.
final class Selection: Sendable {
  let set: ResourceSet
  /// Nil for everything.
  let names: Set<String>?
  /// Resources that the set does not have any more, kept for a while; in name order.
  let kept: [EncodedResource]
  /// The hash over names and versions, that of the set if nothing is left out or kept.
  let version: ContentHash
  /// Whether no resource of the set is left out.
  let coversSet: Bool

  /// Selects; `coversSet` spares looking up every name where it is known.
  init(
    _ set: ResourceSet, names: Set<String>?, kept: [EncodedResource] = [], coversSet: Bool? = nil
  ) {
    self.set = set
    self.names = names
    self.kept = kept
    self.coversSet = names.map { coversSet ?? Self.covers(set, $0) } ?? true
    var version = set.version
    if let names, !self.coversSet {
      var hasher = ContentHash.Hasher()
      for resource in set.resources where names.contains(resource.name) {
        hasher.combine(resource.name)
        hasher.combine(resource.version)
      }
      version = hasher.finalize()
    }
    if !kept.isEmpty {
      var hasher = ContentHash.Hasher()
      hasher.combine(version)
      for resource in kept {
        hasher.combine(resource.name)
        hasher.combine(resource.version)
      }
      version = hasher.finalize()
    }
    self.version = version
  }

  convenience init(_ set: ResourceSet, of subscription: Subscription, kept: [EncodedResource] = [])
  {
    self.init(set, names: subscription.selectedNames, kept: kept)
  }

  subscript(name: String) -> EncodedResource? {
    if names?.contains(name) ?? true, let resource = set[name] { return resource }
    return kept.first { $0.name == name }
  }

  /// In name order.
  var resources: [EncodedResource] {
    let selected =
      coversSet
      ? set.resources : set.resources.filter { names?.contains($0.name) ?? true }
    return kept.isEmpty ? selected : (selected + kept).sorted { $0.name < $1.name }
  }

  /// Whether a client that has the one needs nothing of the other.
  ///
  /// Equal versions suffice, but with kept resources equal content can have two versions.
  func hasSameContents(as other: Selection) -> Bool {
    if version == other.version { return true }
    guard !kept.isEmpty || !other.kept.isEmpty else { return false }
    let resources = self.resources
    return resources.count == other.resources.count
      && resources.allSatisfy { other[$0.name]?.version == $0.version }
  }

  /// The same with fewer names: what a client has left after it unsubscribed from some.
  func restricted(to subscription: Subscription) -> Selection {
    guard let wanted = subscription.selectedNames else { return self }
    let left = names.map { wanted.isSubset(of: $0) ? wanted : $0.intersection(wanted) }
    return Selection(
      set, names: left ?? wanted, kept: kept.filter { wanted.contains($0.name) })
  }

  /// The same content in a newer set, so that the older set can be freed; itself if it differs.
  ///
  /// Itself also where finding out costs more than it gains: it is asked for every type at every push.
  func rebased(on newer: ResourceSet) -> Selection {
    if newer.isIdentical(to: set) { return self }
    if newer.version == set.version {
      return Selection(newer, names: names, kept: kept, coversSet: coversSet)
    }
    guard let names, kept.isEmpty, names.count < newer.resources.count else { return self }
    let rebased = Selection(newer, names: names)
    return rebased.version == version ? rebased : self
  }

  private static func covers(_ set: ResourceSet, _ names: Set<String>) -> Bool {
    set.resources.count <= names.count && set.resources.allSatisfy { names.contains($0.name) }
  }
}
