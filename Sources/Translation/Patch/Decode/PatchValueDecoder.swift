// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ProtoReflection

/// Reads the values that users write in patches as messages of the Envoy API.
struct PatchValueDecoder: Sendable {
  let types: DescriptorPool
  private let constraints: ConstraintValidator

  init(types: DescriptorPool) {
    self.types = types
    constraints = ConstraintValidator()
  }

  /// The value of a patch as a message.
  ///
  /// Unknown fields are left out with a warning, as Istio allows them; all else that is wrong makes
  /// the result nil. Beside it is what a MERGE with explicit presence sets to nothing.
  func message(
    _ patch: EnvoyFilter.ConfigPatch, of filter: EnvoyFilter, as typeName: String,
    reporting problems: inout [ConfigError]
  ) -> (DynamicMessage, ExplicitFields)? {
    let path = patch.path["patch"]["value"]
    guard let value = patch.value else {
      problems.append(
        ConfigError(
          .required, object: filter.ref, at: path,
          reason: "expected a value for \(patch.operation.rawValue), found none; "
            + "the patch is skipped"))
      return nil
    }
    guard let descriptor = types.message(named: typeName) else {
      preconditionFailure("the descriptors of the Envoy API lack \(typeName)")
    }
    let isMerge = patch.operation == .merge || patch.operation == .mergeAndReplaceList
    let decoding = DynamicMessage.decode(
      value, as: descriptor,
      options: JSONDecoding.Options(
        unknownFields: .collectAsWarnings,
        notesExplicitFields: isMerge && filter.presence == .explicit))
    problems += decoding.warnings.map {
      problem(.invalid, .warning, $0, filter, path, suffix: "; it is left out")
    }
    problems += decoding.errors.map {
      problem(.invalid, .error, $0, filter, path, suffix: "; the patch is skipped")
    }
    return decoding.errors.isEmpty ? (decoding.message, decoding.explicit) : nil
  }

  /// Whether Envoy will accept a message, as far as the rules of its API tell.
  ///
  /// A remote Wasm module without a checksum is let through with a warning: Envoy never sees it where
  /// an agent fetches the module, and refuses it where there is none.
  func isSound(
    _ message: DynamicMessage, _ patch: EnvoyFilter.ConfigPatch, of filter: EnvoyFilter,
    reporting problems: inout [ConfigError]
  ) -> Bool {
    let path = patch.path["patch"]["value"]
    let violations = constraints.violations(in: message)
    for violation in violations {
      problems.append(
        violation.isMissingChecksum
          ? problem(
            .required, .warning, violation, filter, path,
            suffix: "; without a checksum the module needs skiff-agent beside the proxy")
          : problem(.invalid, .error, violation, filter, path, suffix: "; the patch is skipped"))
    }
    return violations.allSatisfy(\.isMissingChecksum)
  }

  /// The result of a MERGE, checked as what is added is.
  ///
  /// What was wrong before the patch is not the patch's fault.
  ///
  /// - Throws: the first of `violations`, at the value.
  func check(
    _ message: DynamicMessage, after patch: DecodedPatch, before: DynamicMessage
  ) throws(ConfigError) {
    let violations = constraints.violations(in: message).filter { !$0.isMissingChecksum }
    guard !violations.isEmpty else { return }
    let former = Set(constraints.violations(in: before))
    guard let violation = violations.first(where: { !former.contains($0) }) else { return }
    throw ConfigError(
      .invalid, object: patch.filter, at: patch.valuePath + FieldPath(violation.path),
      reason: violation.reason + "; the patch is skipped")
  }

  private func problem(
    _ code: ConfigError.Code, _ severity: ConfigError.Severity, _ error: ReflectionError,
    _ filter: EnvoyFilter, _ path: FieldPath, suffix: String
  ) -> ConfigError {
    ConfigError(
      code, severity: severity, object: filter.ref, at: path + FieldPath(error.path),
      reason: error.reason + suffix)
  }
}

extension FieldPath {
  /// A path inside a message, with the keys of maps as fields.
  init(_ path: [PathComponent]) {
    self.init(
      path.map { step -> FieldPath.Component in
        switch step {
        case .field(let name), .key(let name): .field(name)
        case .index(let position): .index(position)
        }
      })
  }
}

extension ReflectionError {
  /// Whether it is about `config.vm_config.code.remote.sha256`, which is empty where it is unknown.
  fileprivate var isMissingChecksum: Bool {
    path.suffix(4) == [.field("vm_config"), .field("code"), .field("remote"), .field("sha256")]
  }
}
