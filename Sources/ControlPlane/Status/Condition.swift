// SPDX-License-Identifier: Apache-2.0

import JSON

/// A `metav1.Condition` of Kubernetes, but for the time of its last change.
struct Condition: Hashable, Sendable {
  enum Kind: String, Hashable, Sendable, CaseIterable {
    /// What was written is valid, and in force.
    case accepted = "Accepted"
    /// All proxies whose bytes depend on it have acknowledged them.
    case programmed = "Programmed"
    /// Some proxy refuses it.
    case rejected = "Rejected"
    /// Every proxy that needs its Wasm module runs that module; only where an agent tells.
    case moduleReady = "ModuleReady"
  }

  var kind: Kind
  var isTrue: Bool
  /// One word in CamelCase.
  var reason: String
  var message: String

  func json(observedGeneration: Int64) -> JSONValue {
    [
      "type": .string(kind.rawValue), "status": isTrue ? "True" : "False",
      "reason": .string(reason), "message": .string(message),
      "observedGeneration": .integer(observedGeneration),
    ]
  }
}
