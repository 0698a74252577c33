// SPDX-License-Identifier: Apache-2.0

import JSON

/// A kind in one of the versions that a server has.
package struct ServedKind: Hashable, Sendable {
  package var group: String
  package var version: String
  package var kind: String
  package var plural: String
  package var singular: String
  package var shortNames: [String] = []
  package var categories: [String] = []
  package var isNamespaced = true
  package var verbs: Set<String> = []
  package var hasStatus = false

  /// `networking.istio.io/v1`, and `v1` of the core group.
  package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

  /// `virtualservices.networking.istio.io`, as in the server's messages.
  package var groupResource: String { group.isEmpty ? plural : "\(plural).\(group)" }

  /// `virtualservice.networking.istio.io`, as in kubectl's messages.
  package var qualifiedSingular: String { group.isEmpty ? singular : "\(singular).\(group)" }

  /// `virtualservice.networking.istio.io/web`.
  package func label(_ name: String) -> String { "\(qualifiedSingular)/\(name)" }

  /// The path of a collection, or of an object.
  ///
  /// - Parameters:
  ///   - namespace: nil for all; does not count for kinds without one.
  ///   - name: nil for all.
  /// - Returns: the path, escaped.
  package func path(in namespace: String?, _ name: String? = nil) -> String {
    var parts = group.isEmpty ? ["api", version] : ["apis", group, version]
    if let namespace, isNamespaced { parts += ["namespaces", namespace] }
    parts.append(plural)
    if let name { parts.append(name) }
    return parts.map { "/" + URLText.escaped($0) }.joined()
  }

  /// A resource of an `APIGroupDiscoveryList`; nil for what is none.
  init?(_ resource: JSONValue, group: String, version: String) {
    guard let plural = resource["resource"]?.stringValue,
      let kind = resource["responseKind"]?["kind"]?.stringValue
    else { return nil }
    func strings(_ key: String) -> [String] {
      (resource[key]?.arrayElements ?? []).compactMap(\.stringValue)
    }
    self.group = group
    self.version = version
    self.kind = kind
    self.plural = plural
    let singular = resource["singularResource"]?.stringValue ?? ""
    self.singular = singular.isEmpty ? kind.lowercased() : singular
    shortNames = strings("shortNames")
    categories = strings("categories")
    isNamespaced = resource["scope"] == "Namespaced"
    verbs = Set(strings("verbs"))
    hasStatus = (resource["subresources"]?.arrayElements ?? []).contains {
      $0["subresource"] == "status"
    }
  }
}
