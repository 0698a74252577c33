// SPDX-License-Identifier: Apache-2.0

package import JSON
import Manifests

/// All kinds of a server, found by the names that people use.
package struct KindIndex: Sendable {
  /// The core group first, then by group; of each group the preferred version first.
  package let kinds: [ServedKind]

  /// Reads the aggregated discovery documents of `/api` and `/apis`
  /// (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery).
  package init(discovery documents: [JSONValue]) {
    kinds = documents.flatMap { document in
      (document["items"]?.arrayElements ?? []).flatMap { group in
        let name = group["metadata"]?["name"]?.stringValue ?? ""
        return (group["versions"]?.arrayElements ?? []).flatMap { version in
          (version["resources"]?.arrayElements ?? []).compactMap { resource in
            ServedKind(resource, group: name, version: version["version"]?.stringValue ?? "")
          }
        }
      }
    }
  }

  /// The kind of an object in a file.
  package func kind(apiVersion: String, kind: String) -> ServedKind? {
    kinds.first { $0.apiVersion == apiVersion && $0.kind == kind }
  }

  /// The kind of a name: `vs`, `virtualservice`, `VirtualServices.networking.istio.io`,
  /// `virtualservices.v1beta1.networking.istio.io`.
  package func kind(named text: String) throws(ClientFailure) -> ServedKind {
    let parts = text.lowercased().split(
      separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    let rest = parts.count == 2 ? String(parts[1]) : nil
    let found = kinds.first { kind in
      guard [kind.plural, kind.singular].contains(name) || kind.shortNames.contains(name) else {
        return false
      }
      guard let rest else { return true }
      return rest == kind.group || rest == "\(kind.version).\(kind.group)"
    }
    if let found { return found }
    let hint = NearestName.hint(for: name, among: kinds.flatMap { [$0.singular, $0.plural] })
    throw .local("the server doesn't have a resource type \"\(text)\"\(hint)")
  }

  /// The kinds of a list of names and categories: `gw,vs`, `istio-io`.
  package func kinds(named list: String) throws(ClientFailure) -> [ServedKind] {
    var found: [ServedKind] = []
    for name in list.split(separator: ",").map(String.init) {
      let members = kinds.filter { $0.categories.contains(name) }
      var seen: Set<String> = []
      let preferred = members.filter { seen.insert($0.groupResource).inserted }
      for kind in preferred.isEmpty ? [try kind(named: name)] : preferred
      where !found.contains(kind) {
        found.append(kind)
      }
    }
    return found
  }
}
