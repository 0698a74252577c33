// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

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
  /// Its status is measured at the proxies.
  var isMeasured = false
  /// Made by the server: read, never written.
  var isReadOnly = false
  /// Its former generations are kept.
  ///
  /// Not those of Secrets, which would outlive what was taken out of them, nor of what programs write
  /// all the time.
  var hasHistory = false
  /// What `kubectl get` shows besides NAME and AGE, or of an Event besides LAST SEEN.
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
      ? ["get", "list"] + (kind == .controllerRevision ? [] : ["watch"])
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
