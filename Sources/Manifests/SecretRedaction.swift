// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// Keeps the content of Secrets out of everything that is kept for being shown.
enum SecretRedaction {
  /// Whether an object may hold what nobody should see: a Secret, also under a wrong version or with
  /// its kind misspelt.
  static func concerns(_ kind: ObjectKind) -> Bool {
    ["secret", "secrets"].contains(kind.kind.lowercased())
  }

  /// The object with the names of its entries and without their values.
  static func redacted(_ object: JSONValue) -> JSONValue {
    guard case .object(var members) = object else { return object }
    for (name, value) in members where !["apiVersion", "kind", "type"].contains(name) {
      members[name] = name == "metadata" ? redactedMetadata(value) : withoutValues(value)
    }
    return .object(members)
  }

  /// kubectl keeps a copy of the whole object in an annotation.
  static func redacted(_ annotations: [String: String]) -> [String: String] {
    var annotations = annotations
    if annotations[lastApplied] != nil { annotations[lastApplied] = SensitiveBytes.placeholder }
    return annotations
  }

  private static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

  private static func redactedMetadata(_ value: JSONValue) -> JSONValue {
    guard case .object(var metadata) = value,
      case .object(var annotations)? = metadata["annotations"], annotations[lastApplied] != nil
    else { return value }
    annotations[lastApplied] = .string(SensitiveBytes.placeholder)
    metadata["annotations"] = .object(annotations)
    return .object(metadata)
  }

  private static func withoutValues(_ value: JSONValue) -> JSONValue {
    guard case .object(let members) = value else { return .string(SensitiveBytes.placeholder) }
    return .object(pairs: members.map { ($0.key, .string(SensitiveBytes.placeholder)) })
  }
}
