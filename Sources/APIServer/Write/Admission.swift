// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel

/// What is done about fields that a kind does not have: `fieldValidation`
/// (https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation).
enum FieldValidation: String {
  case ignore = "Ignore"
  case warn = "Warn"
  case strict = "Strict"
}

/// Judges objects before they are stored, by the rules for manifests in files.
struct Admission: Sendable {
  let reader: ManifestReader
  /// What the store calls the place that objects of the API are at.
  static let place = "the API"

  /// - Returns: warnings for the author.
  /// - Throws: 422 with a cause for each error; 400 for unknown fields where they are refused.
  func check(
    _ object: JSONValue, _ resource: APIResource, version: String, _ validation: FieldValidation
  ) throws(APIStatus) -> [String] {
    let reading = reader.read(
      object: object.asVersion(version, of: resource), place: Self.place)
    let errors = reading.problems.filter { $0.severity == .error }
    guard errors.isEmpty else {
      throw .invalid(resource, object.name, errors.map(Self.cause))
    }
    let unknown = reading.problems.filter(\.isUnknownField).map(Self.text)
    if validation == .strict, !unknown.isEmpty {
      let kind = resource.kind.kind
      throw .badRequest(
        "\(kind) in version \"\(version)\" cannot be handled as a \(kind): strict decoding error: "
          + unknown.joined(separator: ", "))
    }
    let others = reading.problems.filter { !$0.isUnknownField }.map { problem in
      problem.path.components.isEmpty ? problem.reason : "\(problem.path): \(problem.reason)"
    }
    return (validation == .warn ? unknown : []) + others
  }

  /// As Kubernetes writes it: `unknown field "spec.ulr"`, with the name that may be meant.
  private static func text(_ problem: ConfigError) -> String {
    let hint = problem.reason.firstRange(of: "; did you mean").map {
      problem.reason[$0.lowerBound...]
    }
    return "unknown field \"\(problem.path)\"\(hint ?? "")"
  }

  private static func cause(_ error: ConfigError) -> APIStatus.Cause {
    let (reason, title) =
      switch error.code {
      case .required: ("FieldValueRequired", "Required value")
      case .invalid: ("FieldValueInvalid", "Invalid value")
      case .unsupported: ("FieldValueNotSupported", "Unsupported value")
      case .conflict: ("FieldValueForbidden", "Forbidden")
      case .notFound: ("FieldValueNotFound", "Not found")
      case .rejected, .unavailable: ("InternalError", "Internal error")
      }
    return APIStatus.Cause(
      reason: reason, message: "\(title): \(error.reason)", field: "\(error.path)")
  }
}
