// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Reads one Kubernetes object: its identity, then its kind's own fields.
///
/// An object whose shape has an error is refused as a whole, as Istio's admission does, so that what
/// is in force is always something that its author wrote; warnings do not refuse. What the checks
/// find in a part of an object (`ObjectChecks`) leaves out that part.
struct ObjectReader {
  let file: String
  let defaultNamespace: String
  let checks: ObjectChecks

  struct Outcome {
    /// Nil where the object has no usable name or kind.
    var ref: ObjectRef?
    /// Nil where it was refused.
    var object: DecodedObject?
    var problems: [ConfigError]
  }

  func read(_ value: YAMLValue) -> Outcome {
    let problems = Problems()
    let opened = MeshConfigMap.opened(value, problems)
    let root = Node(opened ?? value)
    let kindName: String? =
      if case .string(let kind)? = root["kind"]?.value.content { kind } else { nil }
    let isSecret = SecretRedaction.concerns(ObjectKind(group: "", kind: kindName ?? ""))
    let source = SourceMap(
      file: file, lines: Self.lines(of: root.value, isSecret: isSecret, problems))
    guard var identity = identity(of: root, problems) else {
      return Outcome(
        ref: nil, object: nil, problems: located(problems, object: nil, in: source))
    }
    if isSecret {
      identity.meta.annotations = SecretRedaction.redacted(identity.meta.annotations)
    }
    let decoded = opened.flatMap { _ in
      KindDecoder.decode(root, identity.ref.kind, identity.meta, problems)
    }
    let isRefused = problems.list.contains { $0.severity == .error }
    // A refused object is checked too, so that its author sees all mistakes at once.
    let checked = decoded.map { checks.check($0, problems) }
    let list = located(problems, object: identity.ref, in: source)
    guard let checked, !isRefused else {
      return Outcome(ref: identity.ref, object: nil, problems: list)
    }
    let object = DecodedObject(
      ref: identity.ref, apiVersion: identity.apiVersion, meta: identity.meta, value: checked,
      json: isSecret ? SecretRedaction.redacted(value.json) : value.json, source: source)
    return Outcome(ref: identity.ref, object: object, problems: list)
  }

  private struct Identity {
    var ref: ObjectRef
    var apiVersion: String
    var meta: ObjectMeta
  }

  private func identity(of root: Node, _ problems: Problems) -> Identity? {
    guard case .object = root.value.content else {
      problems.add(root.expected("a Kubernetes object with apiVersion, kind and metadata"))
      return nil
    }
    func required(_ field: String) -> String? {
      guard let node = root[field] else {
        problems.error(.required, at: FieldPath(field), "is required")
        return nil
      }
      return problems.catching { () throws(ConfigError) in try node.text() }
    }
    let (apiVersion, kindName) = (required("apiVersion"), required("kind"))
    guard let apiVersion, let kindName else { return nil }
    let parts = apiVersion.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
      problems.error(at: FieldPath("apiVersion"), "expected group/version, found \"\(apiVersion)\"")
      return nil
    }
    let kind = ObjectKind(group: parts.count == 2 ? String(parts[0]) : "", kind: kindName)
    guard let metadata = root["metadata"] else {
      problems.error(.required, at: FieldPath("metadata", "name"), "is required")
      return nil
    }
    guard var meta = ObjectMeta.decode(metadata, kind: kind, problems) else { return nil }
    if KnownKinds.isClusterScoped(kind) {
      meta.namespace = ""
    } else if meta.namespace.isEmpty {
      meta.namespace = defaultNamespace
    }
    let ref = ObjectRef(kind: kind, namespace: meta.namespace, name: meta.name)
    return Identity(ref: ref, apiVersion: apiVersion, meta: meta)
  }

  private func located(
    _ problems: Problems, object: ObjectRef?, in source: SourceMap
  ) -> [ConfigError] {
    problems.list.map { problem in
      var problem = problem
      problem.object = object
      problem.location = source.location(of: problem.path)
      return problem
    }
  }

  /// The line of every field; notes the words that Kubernetes reads as booleans on the way.
  private static func lines(
    of value: YAMLValue, isSecret: Bool, _ problems: Problems
  ) -> [FieldPath: Int] {
    var lines: [FieldPath: Int] = [:]
    func visit(_ value: YAMLValue, _ path: FieldPath, line: Int) {
      lines[path] = line
      if !isSecret, value.isAmbiguous, case .string(let text) = value.content {
        problems.warning(
          .invalid, at: path,
          "\(text) without quotes is read as a boolean by Kubernetes; write \"\(text)\" or true/false"
        )
      }
      switch value.content {
      case .object(let members):
        for member in members {
          let field = path[member.key]
          if member.isKeyAmbiguous {
            problems.warning(
              .invalid, at: field,
              "the key \(member.key) without quotes is read as a boolean by Kubernetes; "
                + "write \"\(member.key)\"")
          }
          visit(member.value, field, line: member.keyLine)
        }
      case .list(let elements):
        for (index, element) in elements.enumerated() {
          visit(element, path[index], line: element.line)
        }
      case .null, .bool, .number, .string: break
      }
    }
    visit(value, FieldPath(), line: value.line)
    return lines
  }
}
