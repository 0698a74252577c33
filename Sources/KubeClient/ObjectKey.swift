// SPDX-License-Identifier: Apache-2.0

package import JSON

/// An object of a server.
package struct ObjectKey: Hashable, Sendable {
  package var kind: ServedKind
  /// Empty for kinds without one.
  package var namespace: String
  package var name: String

  package init(_ kind: ServedKind, in namespace: String, _ name: String) {
    self.kind = kind
    self.namespace = kind.isNamespaced ? namespace : ""
    self.name = name
  }

  /// The key of an object that the server shows.
  package init(_ kind: ServedKind, of object: JSONValue) {
    self.init(
      kind, in: object["metadata"]?["namespace"]?.stringValue ?? "",
      object["metadata"]?["name"]?.stringValue ?? "")
  }

  package var path: String { kind.path(in: namespace, name) }

  /// `virtualservice.networking.istio.io/web`.
  package var label: String { kind.label(name) }
}
