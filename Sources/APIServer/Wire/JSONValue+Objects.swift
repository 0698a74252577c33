// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ObjectStore

/// A Kubernetes object as JSON: the members that every kind has.
extension JSONValue {
  /// With the members of all objects sorted, as Kubernetes keeps them, so that the order of writing
  /// makes no difference.
  var canonical: JSONValue {
    switch self {
    case .object(let members):
      .object(pairs: members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.canonical) })
    case .array(let elements): .array(elements.map(\.canonical))
    default: self
    }
  }

  /// No value: in a branch beside a value, `nil` would be JSON's null.
  static let absent: JSONValue? = Optional.none

  func setting(_ key: String, _ value: JSONValue?) -> JSONValue {
    var members = objectMembers ?? [:]
    members[key] = value
    return .object(members)
  }

  func settingMetadata(_ key: String, _ value: JSONValue?) -> JSONValue {
    setting("metadata", (self["metadata"] ?? [:]).setting(key, value))
  }

  var metadata: JSONValue { self["metadata"] ?? .null }
  var name: String { metadata["name"]?.stringValue ?? "" }
  var namespace: String { metadata["namespace"]?.stringValue ?? "" }
  var uid: String { metadata["uid"]?.stringValue ?? "" }
  var resourceVersion: String { metadata["resourceVersion"]?.stringValue ?? "" }
  var finalizers: [JSONValue] { metadata["finalizers"]?.arrayElements ?? [] }
  var isBeingDeleted: Bool { metadata["deletionTimestamp"]?.stringValue != nil }

  var labels: [String: String] {
    (metadata["labels"]?.objectMembers ?? [:]).reduce(into: [:]) { labels, member in
      labels[member.key] = member.value.stringValue
    }
  }

  /// As a version of its kind shows it.
  func asVersion(_ version: String, of resource: APIResource) -> JSONValue {
    guard case .object(let members) = self else { return self }
    var ordered: JSONObject = [
      "apiVersion": .string(resource.apiVersion(version)), "kind": .string(resource.kind.kind),
    ]
    for (key, value) in members where ordered[key] == nil { ordered[key] = value }
    return .object(ordered)
  }

  /// Without the status and what every write of it changes.
  var withoutStatus: JSONValue {
    setting("status", nil).settingMetadata("resourceVersion", nil)
      .settingMetadata("managedFields", nil)
  }

  /// Without what does not count as a change of what the author wants.
  var specOnly: JSONValue {
    setting("metadata", nil).setting("status", nil).setting("apiVersion", nil)
  }
}
