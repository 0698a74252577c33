// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ProtoReflection

/// What Envoy refuses, or warns of, in a message that has the right type.
extension PatchValueDecoder {
  /// Whether Envoy will accept a message, as far as its API tells.
  ///
  /// Of a MERGE only what it sets is looked at; the sum is checked when it is there (`check`).
  func isSound(
    _ message: DynamicMessage, _ patch: EnvoyFilter.ConfigPatch, of filter: EnvoyFilter,
    reporting problems: inout [ConfigError]
  ) -> Bool {
    let isPart = patch.operation == .merge || patch.operation == .mergeAndReplaceList
    let found =
      violations(in: message, isPart: isPart) + typedStructs(in: message, isPart: isPart)
      + deprecations(in: message)
    problems += found.map { $0.problem(of: filter, at: patch.path["patch"]["value"]) }
    return !found.contains { $0.severity == .error }
  }

  /// The rules of the Envoy API (`validate.rules`).
  ///
  /// What a remote Wasm module lacks is only told: Envoy never sees it where an agent fetches the
  /// module, and refuses it where there is none.
  private func violations(in message: DynamicMessage, isPart: Bool) -> [ValueProblem] {
    constraints.violations(in: message, isPart: isPart).map { violation in
      guard violation.isOfRemoteModule else {
        return ValueProblem(path: violation.path, reason: violation.reason)
      }
      let missing = violation.path.last == .field("sha256") ? "a checksum" : "it"
      return ValueProblem(
        code: .required, severity: .warning, path: violation.path,
        reason:
          "\(violation.reason); without \(missing) the module needs skiff-agent beside the proxy"
      )
    }
  }

  /// Envoy reads a TypedStruct as the type that it names, if it has that type.
  private func typedStructs(in message: DynamicMessage, isPart: Bool) -> [ValueProblem] {
    var structs: [(path: [PathComponent], content: TypedStruct)] = []
    message.visit { path, message in
      if let content = TypedStruct(message) { structs.append((path, content)) }
    }
    return structs.flatMap { path, content in
      check(content, isPart: isPart).map { $0.within(path) }
    }
  }

  private func check(_ content: TypedStruct, isPart: Bool) -> [ValueProblem] {
    guard let type = types.message(typeURL: content.typeURL) else { return [unknown(content)] }
    let decoding = DynamicMessage.decode(
      content.value, as: type, options: JSONDecoding.Options(unknownFields: .collectAsWarnings))
    let problems =
      decoding.errors.isEmpty
      ? decoding.problems + violations(in: decoding.message, isPart: isPart) : decoding.problems
    return problems.map { $0.within([.field("value")]) }
  }

  private func unknown(_ content: TypedStruct) -> ValueProblem {
    guard content.typeName.hasPrefix("envoy.") else {
      return ValueProblem(
        code: .unsupported, severity: .warning, path: [.field("type_url")],
        reason:
          "\"\(content.typeURL)\" is not of the Envoy API, so its content is not checked, and "
          + "only a proxy that was built with it accepts it")
    }
    let nearest = types.nearestMessageName(to: content.typeName)
    return ValueProblem(
      path: [.field("type_url")],
      reason: "unknown type \"\(content.typeURL)\""
        + (nearest.map { "; did you mean \"type.googleapis.com/\($0)\"?" } ?? ""))
  }

  private func deprecations(in message: DynamicMessage) -> [ValueProblem] {
    var found: [ValueProblem] = []
    message.visit { path, message in
      for number in message.setFieldNumbers {
        guard let field = message.descriptor.field(number: number), field.isDeprecated else {
          continue
        }
        let path = path + [.field(field.name)]
        found.append(
          field.isDisallowed
            ? ValueProblem(
              code: .unsupported, path: path, reason: "is deprecated, and Envoy refuses it")
            : ValueProblem(
              code: .unsupported, severity: .warning, path: path,
              reason: "is deprecated in the Envoy API"))
      }
    }
    return found
  }
}

extension ReflectionError {
  /// Whether it is about `config.vm_config.code.remote`, which an agent replaces by a file.
  var isOfRemoteModule: Bool {
    let remote: [PathComponent] = [.field("vm_config"), .field("code"), .field("remote")]
    return path.indices.contains { path[$0...].starts(with: remote) }
  }
}
