// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// A field selector of the API: `metadata.name=web,metadata.namespace!=default`.
struct FieldQuery {
  private struct Requirement {
    var path: [String]
    var value: String
    var isEqual: Bool
  }

  private var requirements: [Requirement] = []

  init() {}

  init(_ text: String, _ resource: APIResource) throws(APIStatus) {
    for part in text.split(separator: ",") {
      guard let mark = ["!=", "==", "="].lazy.compactMap({ part.firstRange(of: $0) }).first else {
        throw .badRequest("invalid selector: \"\(part)\"; can't understand it")
      }
      let field = String(part[..<mark.lowerBound])
      guard Self.fields(of: resource).contains(field) else {
        throw .badRequest("field label not supported: \(field)")
      }
      requirements.append(
        Requirement(
          path: field.split(separator: ".").map(String.init),
          value: String(part[mark.upperBound...]), isEqual: part[mark] != "!="))
    }
  }

  var isEmpty: Bool { requirements.isEmpty }

  /// The name that it asks for; nil for any other question.
  var name: String? {
    requirements.first { $0.isEqual && $0.path == ["metadata", "name"] }?.value
  }

  func matches(_ object: JSONValue) -> Bool {
    requirements.allSatisfy { requirement in
      let value = requirement.path.reduce(object) { $0[$1] ?? .null }.stringValue ?? ""
      return (value == requirement.value) == requirement.isEqual
    }
  }

  private static func fields(of resource: APIResource) -> [String] {
    let common = ["metadata.name", "metadata.namespace"]
    switch resource.kind.description {
    case "Event":
      let about = [
        "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath",
      ]
      return common + about.map { "involvedObject.\($0)" }
        + ["reason", "reportingComponent", "source", "type"]
    case "Namespace": return common + ["status.phase"]
    case "Secret": return common + ["type"]
    default: return common
    }
  }
}
