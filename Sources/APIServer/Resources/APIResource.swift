// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// How the elements of a list are told apart when two authors write it.
enum ListKind: Hashable {
  /// A set of scalars.
  case set
  /// Objects with these keys; a key that is left out has this value.
  case map(keys: [String], defaults: [String: String] = [:])
}

/// A kind as the API serves it.
struct APIResource: Sendable {
  let kind: ObjectKind
  /// The first is preferred, and what objects are stored as.
  let versions: [String]
  let plural: String
  var shortNames: [String] = []
  var categories: [String] = []
  var isNamespaced = true
  var hasStatus = true
  /// Made by the server: read, never written.
  var isReadOnly = false
  /// What `kubectl get` shows besides NAME and AGE.
  var columns: [Column] = []
  /// Lists that are not replaced as a whole, by their path without positions: `spec.ports`.
  var lists: [String: ListKind] = [:]

  var singular: String { kind.kind.lowercased() }
  var group: String { kind.group }

  /// `wasmplugins.extensions.istio.io`, and `services` of the core group.
  var groupResource: String { group.isEmpty ? plural : "\(plural).\(group)" }

  /// `WasmPlugin.extensions.istio.io`.
  var qualifiedKind: String { "\(kind)" }

  /// `extensions.istio.io/v1alpha1`, and `v1` of the core group.
  func apiVersion(_ version: String) -> String { group.isEmpty ? version : "\(group)/\(version)" }

  var verbs: [String] {
    isReadOnly
      ? ["get", "list", "watch"]
      : [
        "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
      ]
  }

  /// How a list is merged; nil for one that is replaced as a whole.
  func list(at path: [String]) -> ListKind? {
    switch path {
    case ["metadata", "finalizers"]: .set
    case ["metadata", "ownerReferences"]: .map(keys: ["uid"])
    case ["status", "conditions"]: .map(keys: ["type"])
    default: lists.isEmpty ? nil : lists[path.joined(separator: ".")]
    }
  }

  /// `details` of a Status, with the resource as its kind.
  func details(_ name: String) -> [(String, JSONValue)] {
    details(name, kind: plural)
  }

  /// `details` of a Status about an object, with the object's kind.
  func kindDetails(_ name: String) -> [(String, JSONValue)] {
    details(name, kind: kind.kind)
  }

  private func details(_ name: String, kind: String) -> [(String, JSONValue)] {
    var details: [(String, JSONValue)] = []
    if !name.isEmpty { details.append(("name", .string(name))) }
    if !group.isEmpty { details.append(("group", .string(group))) }
    details.append(("kind", .string(kind)))
    return details
  }
}

/// One column of a table.
struct Column: Sendable {
  let name: String
  var type = "string"
  /// Above 0 it is shown with `-o wide` only.
  var priority = 0
  let description: String
  let value: @Sendable (JSONValue) -> JSONValue

  init(
    _ name: String, type: String = "string", wide: Bool = false, _ description: String,
    _ value: @escaping @Sendable (JSONValue) -> JSONValue
  ) {
    self.name = name
    self.type = type
    priority = wide ? 1 : 0
    self.description = description
    self.value = value
  }

  /// The value of a field: text, or the elements of a list with commas between them.
  static func field(
    _ name: String, _ path: String..., wide: Bool = false, description: String
  ) -> Column {
    Column(name, wide: wide, description) { object in
      Self.text(path.reduce(object) { $0[$1] ?? .null })
    }
  }

  /// A value as a cell.
  static func text(_ value: JSONValue) -> JSONValue {
    switch value {
    case .null: ""
    case .string: value
    case .array(let elements):
      .string(elements.map { $0.stringValue ?? $0.text() }.joined(separator: ","))
    case .object(let members) where members.allSatisfy({ $0.value.stringValue != nil }):
      .string(
        members.map { "\($0.key)=\($0.value.stringValue ?? "")" }.joined(separator: ","))
    default: .string(value.text())
    }
  }
}
