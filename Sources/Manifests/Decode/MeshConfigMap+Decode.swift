// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension MeshConfigMap {
  /// Reads the whole object, whose key `mesh` was opened before; nil for other ConfigMaps.
  static func decode(_ root: Node, _ meta: ObjectMeta, _ problems: Problems) -> MeshConfigMap? {
    guard meta.name == name, let mesh = root["data"]?[key] else { return nil }
    return MeshConfig.decode(mesh, problems).map { MeshConfigMap(meta: meta, meshConfig: $0) }
  }

  /// The ConfigMap with the text of `mesh` replaced by what it says, so that the fields in it have
  /// paths and lines of their own; any other object as it is.
  ///
  /// Nil where the text cannot be read, which is noted.
  static func opened(_ object: YAMLValue, _ problems: Problems) -> YAMLValue? {
    guard object["kind"]?.content == .string(kind.kind),
      object["metadata"]?["name"]?.content == .string(name),
      let data = object["data"], let mesh = data[key], case .string(let text) = mesh.content
    else { return object }
    let stream = YAMLParser().parse(Array(text.utf8), file: "")
    // A block of text begins below its key; other texts have one line.
    let offset = text.contains("\n") ? mesh.line : mesh.line - 1
    for problem in stream.problems {
      let line = offset + (problem.location?.line ?? 1)
      problems.error(at: FieldPath("data", key), "line \(line): \(problem.reason)")
    }
    guard stream.problems.isEmpty else { return nil }
    let content =
      stream.documents.first?.moved(by: offset) ?? YAMLValue(.object([]), line: mesh.line)
    return object.replacing("data", with: data.replacing(key, with: content))
  }
}

extension MeshConfigFile {
  static let key = "mesh"
  static let apiVersion = "mesh.istio.io/v1alpha1"

  /// Reads the object that `wrapped` makes.
  static func decode(_ root: Node, _ meta: ObjectMeta, _ problems: Problems) -> MeshConfigFile? {
    let mesh = root[key] ?? Node(YAMLValue(.object([]), line: 1), at: FieldPath(key))
    return MeshConfig.decode(mesh, problems).map { MeshConfigFile(meta: meta, meshConfig: $0) }
  }

  /// A document that is nothing but a mesh configuration, as an object; what has a kind stays.
  static func wrapped(_ document: YAMLValue) -> YAMLValue {
    guard document["kind"] == nil else { return document }
    let line = document.line
    func member(_ key: String, _ value: YAMLValue) -> YAMLValue.Member {
      YAMLValue.Member(key: key, keyLine: line, value: value)
    }
    let name = YAMLValue(.object([member("name", YAMLValue(.string(key), line: line))]), line: line)
    return YAMLValue(
      .object([
        member("apiVersion", YAMLValue(.string(apiVersion), line: line)),
        member("kind", YAMLValue(.string(kind.kind), line: line)),
        member("metadata", name), member(key, document),
      ]), line: line)
  }
}

extension YAMLValue {
  fileprivate func replacing(_ key: String, with value: YAMLValue) -> YAMLValue {
    guard case .object(var members) = content,
      let position = members.firstIndex(where: { $0.key == key })
    else { return self }
    members[position].value = value
    return YAMLValue(.object(members), line: line)
  }

  /// The value as if it began so many lines further down.
  fileprivate func moved(by lines: Int) -> YAMLValue {
    let content: Content =
      switch content {
      case .list(let elements): .list(elements.map { $0.moved(by: lines) })
      case .object(let members):
        .object(
          members.map {
            var member = $0
            member.keyLine += lines
            member.value = $0.value.moved(by: lines)
            return member
          })
      case .null, .bool, .number, .string: content
      }
    return YAMLValue(content, line: line + lines, isAmbiguous: isAmbiguous)
  }
}
