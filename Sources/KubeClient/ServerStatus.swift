// SPDX-License-Identifier: Apache-2.0

package import JSON

/// Kubernetes' `Status`, as an answer that is no success
/// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
package struct ServerStatus: Hashable, Sendable {
  package struct Cause: Hashable, Sendable {
    package var reason: String
    package var message: String
    /// `spec.url`; empty where there is none.
    package var field: String
  }

  package var code: Int
  package var reason: String
  package var message: String
  /// Of the object that it is about; empty where there is none.
  package var kind: String
  package var name: String
  package var causes: [Cause]

  /// Nil for JSON that is something else.
  package init?(_ json: JSONValue) {
    guard json["kind"] == "Status", let message = json["message"]?.stringValue else { return nil }
    self.message = message
    code = Int(json["code"]?.integerValue ?? 500)
    reason = json["reason"]?.stringValue ?? ""
    let details = json["details"]
    kind = details?["kind"]?.stringValue ?? ""
    name = details?["name"]?.stringValue ?? ""
    causes = (details?["causes"]?.arrayElements ?? []).map { cause in
      Cause(
        reason: cause["reason"]?.stringValue ?? "", message: cause["message"]?.stringValue ?? "",
        field: cause["field"]?.stringValue ?? "")
    }
  }

  /// As kubectl prints it; where the object was read from a file, with the lines of its fields.
  package func text(of object: WrittenObject? = nil) -> String {
    let place = object.map { " (\($0.place))" } ?? ""
    switch reason {
    case "Unauthorized":
      return "error: You must be logged in to the server (Unauthorized); see --token-file"
    case "Invalid" where !causes.isEmpty:
      let lines = causes.map { cause in
        let line = object?.place(of: cause.field).map { " (\($0))" } ?? ""
        return (cause.field.isEmpty ? "" : "\(cause.field): ") + cause.message + line
      }
      let head = "The \(kind) \"\(name)\"\(place) is invalid: "
      return lines.count == 1 ? head + lines[0] : head + lines.map { "\n* \($0)" }.joined()
    case "Conflict" where causes.contains { $0.reason == "FieldManagerConflict" }:
      return "error: \(object.map { "\($0.place): " } ?? "")\(message)\n"
        + "Take these fields out of the file, or take them over with --force-conflicts."
    default:
      let source = object.map { "error when applying \"\($0.place)\": " } ?? ""
      return "Error from server\(reason.isEmpty ? "" : " (\(reason))"): \(source)\(message)"
    }
  }
}
