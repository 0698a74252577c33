// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// All kinds that the API serves.
struct Catalog: Sendable {
  let resources: [APIResource]
  private let byPath: [String: APIResource]
  private let byKind: [ObjectKind: APIResource]

  init(_ resources: [APIResource] = Catalog.istio + Catalog.kubernetes) {
    self.resources = resources
    byKind = Dictionary(uniqueKeysWithValues: resources.map { ($0.kind, $0) })
    byPath = Dictionary(
      uniqueKeysWithValues: resources.flatMap { resource in
        resource.versions.map { ("\(resource.group)/\($0)/\(resource.plural)", resource) }
      })
  }

  func resource(group: String, version: String, plural: String) -> APIResource? {
    byPath["\(group)/\(version)/\(plural)"]
  }

  func resource(of kind: ObjectKind) -> APIResource? { byKind[kind] }

  /// The groups with their versions, the preferred one first; the core group is not among them.
  var groups: [(name: String, versions: [String])] {
    let names = Set(resources.map(\.group)).subtracting([""]).sorted()
    return names.map { ($0, versions(of: $0)) }
  }

  /// The versions of a group; the newest and most stable come first.
  func versions(of group: String) -> [String] {
    let all = Set(resources.filter { $0.group == group }.flatMap(\.versions))
    return all.sorted { left, right in
      func rank(_ version: String) -> (Int, String) {
        (version.contains("alpha") ? 2 : version.contains("beta") ? 1 : 0, version)
      }
      return rank(left) < rank(right)
    }
  }

  func resources(group: String, version: String) -> [APIResource] {
    resources.filter { $0.group == group && $0.versions.contains(version) }
  }
}
