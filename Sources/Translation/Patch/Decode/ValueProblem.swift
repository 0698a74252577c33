// SPDX-License-Identifier: Apache-2.0

import MeshModel
import ProtoReflection

/// What is wrong with the value of a patch, by its place in the value.
struct ValueProblem: Hashable, Sendable {
  var code = ConfigError.Code.invalid
  /// An error skips the patch.
  var severity = ConfigError.Severity.error
  var path: [PathComponent]
  var reason: String

  /// The problem with its place in an object whose value is at `path`.
  func problem(of filter: EnvoyFilter, at path: FieldPath) -> ConfigError {
    ConfigError(
      code, severity: severity, object: filter.ref, at: path + FieldPath(self.path),
      reason: severity == .error ? reason + "; the patch is skipped" : reason)
  }

  /// The same in a message around it.
  func within(_ outer: [PathComponent]) -> Self {
    var problem = self
    problem.path = outer + path
    return problem
  }
}

extension JSONDecoding {
  /// Unknown fields as warnings, all else that did not fit as errors, each with its remedy.
  var problems: [ValueProblem] {
    warnings.map { warning in
      // The field of Envoy's v2 API that people still copy.
      let remedy =
        warning.path.last == .field("config")
        ? "; config is of Envoy's v2 API: write typed_config with \"@type\"" : ""
      return ValueProblem(
        severity: .warning, path: warning.path,
        reason: warning.reason + remedy + "; it is left out")
    } + errors.map { ValueProblem(path: $0.path, reason: Self.reason(of: $0)) }
  }

  /// Istio's own filters have types that the Envoy API lacks, but Envoy takes them as a struct.
  private static func reason(of error: ReflectionError) -> String {
    let beginning = "unknown type \"type.googleapis.com/"
    guard error.reason.hasPrefix(beginning), !error.reason.hasPrefix(beginning + "envoy."),
      let type = error.reason.split(separator: ";").first
    else { return error.reason }
    return "\(type); a type beyond the Envoy API is written as "
      + "type.googleapis.com/xds.type.v3.TypedStruct with type_url and value"
  }
}
