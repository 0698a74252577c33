// SPDX-License-Identifier: Apache-2.0

package import JSON

/// What `wait --for` waits for, as kubectl writes it.
package enum WaitGoal: Hashable, Sendable {
  /// `condition=Programmed`, `condition=Rejected=False`.
  case condition(String, status: String)
  case delete
  case create

  package init?(_ text: String) {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    switch (parts[0].lowercased(), parts.count) {
    case ("delete", 1): self = .delete
    case ("create", 1): self = .create
    case ("condition", 2) where !parts[1].isEmpty: self = .condition(parts[1], status: "True")
    case ("condition", 3) where !parts[1].isEmpty && !parts[2].isEmpty:
      self = .condition(parts[1], status: parts[2])
    default: return nil
    }
  }

  /// Whether an object that is there is as it should be.
  package func isMet(by object: JSONValue) -> Bool {
    switch self {
    case .condition(let type, let status):
      ObjectCondition(type, of: object)?.status.lowercased() == status.lowercased()
    case .delete: false
    case .create: true
    }
  }

  /// What is known where it is not met, for a message.
  package func shortfall(of object: JSONValue) -> String {
    guard case .condition(let type, _) = self else { return "it is still there" }
    guard let found = ObjectCondition(type, of: object) else {
      return "it has no condition \(type) of its generation"
    }
    return "\(type) is \(found.status), \(found.reason)"
      + (found.message.isEmpty ? "" : ": \(found.message)")
  }
}
