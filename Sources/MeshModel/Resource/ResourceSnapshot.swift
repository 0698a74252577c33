// SPDX-License-Identifier: Apache-2.0

/// All resources of one type, for one class of proxies.
package struct ResourceSet: Hashable, Sendable {
  /// In name order.
  package let resources: [EncodedResource]
  /// The hash over the names and versions of all resources.
  package let version: ContentHash
  private let positions: [String: Int]

  package static let empty = ResourceSet([])

  /// Makes a set; names must be unique, a later duplicate is a bug of the caller.
  package init(_ resources: [EncodedResource]) { self.init(resources, after: nil) }

  /// The same, at less cost the more of it is as in a former set.
  package init(_ resources: [EncodedResource], after former: ResourceSet?) {
    let sorted = resources.sorted { $0.name < $1.name }
    if let former, former.resources == sorted {
      self = former
      return
    }
    var hasher = ContentHash.Hasher()
    for resource in sorted {
      hasher.combine(resource.name)
      hasher.combine(resource.version)
    }
    self.resources = sorted
    version = hasher.finalize()
    if let former, former.resources.elementsEqual(sorted, by: { $0.name == $1.name }) {
      positions = former.positions
      return
    }
    var positions: [String: Int] = [:]
    for (position, resource) in sorted.enumerated() {
      let twin = positions.updateValue(position, forKey: resource.name)
      precondition(twin == nil, "two resources of a set are named \(resource.name)")
    }
    self.positions = positions
  }

  package subscript(name: String) -> EncodedResource? { positions[name].map { resources[$0] } }
}

/// Everything that the proxies of one class get: the output of translation.
///
/// Immutable and shared by reference: all proxies of the class hold the same object.
package final class ResourceSnapshot: Sendable {
  /// The revision of the mesh snapshot that it was made from.
  package let revision: UInt64
  package let proxyClass: ProxyClass
  private let sets: [TypeURL: ResourceSet]
  /// Those of the push order, by rank: looked up for every proxy and push.
  private let ranked: [ResourceSet]
  /// What translation found wrong, for this class.
  package let problems: [ConfigError]

  package init(
    revision: UInt64, proxyClass: ProxyClass, sets: [TypeURL: ResourceSet],
    problems: [ConfigError]
  ) {
    self.revision = revision
    self.proxyClass = proxyClass
    self.sets = sets
    ranked = TypeURL.pushOrder.map { sets[$0] ?? .empty }
    self.problems = problems
  }

  /// The resources of a type; an empty set for a type of which there are none.
  package subscript(typeURL: TypeURL) -> ResourceSet { sets[typeURL] ?? .empty }

  /// The same for a caller that knows the type's rank in the push order.
  package subscript(typeURL: TypeURL, rank rank: Int) -> ResourceSet {
    rank < ranked.count ? ranked[rank] : self[typeURL]
  }

  /// The types that have resources, in push order.
  package var typeURLs: [TypeURL] {
    sets.keys.sorted { left, right in
      let order = TypeURL.pushOrder
      let leftRank = order.firstIndex(of: left) ?? order.count
      let rightRank = order.firstIndex(of: right) ?? order.count
      return (leftRank, left.rawValue) < (rightRank, right.rawValue)
    }
  }
}
