// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A `metav1.Condition` of Kubernetes as it is measured, but for the time of its last change.
package struct Condition: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// What was written is valid, and in force.
    case accepted = "Accepted"
    /// All proxies whose bytes depend on it have acknowledged them.
    case programmed = "Programmed"
    /// Some proxy refuses it.
    case rejected = "Rejected"
    /// Every proxy that needs its Wasm module runs that module; only where an agent tells.
    case moduleReady = "ModuleReady"
    /// Some proxy runs without its Wasm module, or with what stands in for it; only where an agent tells.
    case degraded = "Degraded"
  }

  package var kind: Kind
  package var isTrue: Bool
  /// One word in CamelCase.
  package var reason: String
  package var message: String
  /// What an event says of it: the message without times, so that the same is the same again.
  package var summary: String

  /// Makes a condition; an event says the message where there is no shorter one.
  package init(
    kind: Kind, isTrue: Bool, reason: String, message: String, summary: String? = nil
  ) {
    self.kind = kind
    self.isTrue = isTrue
    self.reason = reason
    self.message = message
    self.summary = summary ?? message
  }

  package func json(observedGeneration: Int64) -> JSONValue {
    [
      "type": .string(kind.rawValue), "status": isTrue ? "True" : "False",
      "reason": .string(reason), "message": .string(message),
      "observedGeneration": .integer(observedGeneration),
    ]
  }
}
