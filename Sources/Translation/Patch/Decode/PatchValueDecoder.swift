// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
package import ProtoReflection

/// Reads the values that users write in patches as messages of the Envoy API.
package struct PatchValueDecoder: Sendable {
  package let types: DescriptorPool
  let constraints: ConstraintValidator

  package init(types: DescriptorPool) {
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
    problems += decoding.problems.map { $0.problem(of: filter, at: path) }
    guard decoding.errors.isEmpty else { return nil }
    let former = FormerTypes(in: decoding.message, of: types).problems
    problems += former.map { $0.problem(of: filter, at: path) }
    return former.isEmpty ? (decoding.message, decoding.explicit) : nil
  }

  /// The result of a MERGE, checked as what is added is.
  ///
  /// What was wrong before the patch is not the patch's fault.
  ///
  /// - Throws: the first of `violations`, at the value.
  func check(
    _ message: DynamicMessage, after patch: DecodedPatch, before: DynamicMessage
  ) throws(ConfigError) {
    let violations = constraints.violations(in: message).filter { !$0.isOfRemoteModule }
    guard !violations.isEmpty else { return }
    let former = Set(constraints.violations(in: before))
    guard let violation = violations.first(where: { !former.contains($0) }) else { return }
    throw ConfigError(
      .invalid, object: patch.filter, at: patch.valuePath + FieldPath(violation.path),
      reason: violation.reason + "; the patch is skipped")
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
