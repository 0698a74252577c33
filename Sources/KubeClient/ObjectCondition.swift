// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A `metav1.Condition` of an object's status.
package struct ObjectCondition: Hashable, Sendable {
  /// `True`, `False` or `Unknown`.
  package var status: String
  package var reason: String
  package var message: String

  /// The condition of a type as of the object's generation.
  ///
  /// - Returns: nil where there is none, or one that was made of an earlier generation.
  package init?(_ type: String, of object: JSONValue) {
    let all = object["status"]?["conditions"]?.arrayElements ?? []
    let found = all.first {
      $0["type"]?.stringValue?.lowercased() == type.lowercased()
    }
    guard let found else { return nil }
    let generation = object["metadata"]?["generation"]?.integerValue ?? 0
    if let observed = found["observedGeneration"]?.integerValue, observed < generation {
      return nil
    }
    status = found["status"]?.stringValue ?? ""
    reason = found["reason"]?.stringValue ?? ""
    message = found["message"]?.stringValue ?? ""
  }

  package var isTrue: Bool { status == "True" }
}
