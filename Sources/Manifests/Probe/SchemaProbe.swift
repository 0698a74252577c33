// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Finds out which fields a kind has by asking its decoder: each place is given an empty object, and
/// what the decoder says about it tells what belongs there.
///
/// So the schema that an API publishes is what reading does, and no second list of fields can be wrong.
package struct SchemaProbe {
  private enum Step {
    case field(String)
    case element
  }

  /// Deeper than any kind nests without repeating itself.
  private static let depthLimit = 14
  private let kind: ObjectKind

  /// The fields of an object beside `apiVersion`, `kind`, `metadata` and `status`.
  ///
  /// - Returns: by name; empty for a kind that is not decoded.
  package static func fields(of kind: ObjectKind) -> [String: FieldShape] {
    guard KnownKinds.decoded.contains(kind) else { return [:] }
    let probe = Self(kind: kind)
    guard case .object(var fields) = probe.shape(at: []) else { return [:] }
    for name in ["apiVersion", "kind", "metadata", "status"] { fields[name] = nil }
    return fields
  }

  private func shape(at path: [Step]) -> FieldShape {
    guard path.count < Self.depthLimit else { return .any }
    let place = Self.path(path)
    let answer = ask(path, .object([]))
    if let schema = answer.schemas[place] {
      var members: [String: FieldShape] = [:]
      for name in schema.fields {
        let isGeneral = path.isEmpty && ["apiVersion", "kind", "metadata"].contains(name)
        members[name] = isGeneral ? .any : shape(at: path + [.field(name)])
      }
      for name in schema.unsupported + schema.ignored { members[name] = .any }
      return .object(members)
    }
    guard let expected = answer.expected[place] else { return .any }
    if expected == "a list" { return .list(shape(at: path + [.element])) }
    return Self.scalar(expected)
  }

  /// A form in the words of `Node`.
  private static func scalar(_ expected: String) -> FieldShape {
    if expected.hasPrefix("one of ") {
      return .enumeration(
        expected.dropFirst("one of ".count).split(separator: ", ").map(String.init))
    }
    if expected.hasPrefix("a string") { return .string }
    if expected.hasPrefix("an integer") { return .integer }
    if expected.hasPrefix("a number") { return .number }
    if expected.hasPrefix("a duration") { return .duration }
    return expected == "true or false" ? .boolean : .any
  }

  private struct Answer {
    /// The members that decoders looked for, by place.
    var schemas: [FieldPath: Schema] = [:]
    /// What was expected where the object was put.
    var expected: [FieldPath: String] = [:]
  }

  private func ask(_ path: [Step], _ content: YAMLValue.Content) -> Answer {
    var value = YAMLValue(content, line: 0)
    for step in path.reversed() {
      switch step {
      case .field(let name):
        let member = YAMLValue.Member(key: name, keyLine: 0, value: value)
        value = YAMLValue(.object([member]), line: 0)
      case .element: value = YAMLValue(.list([value]), line: 0)
      }
    }
    let problems = Problems(recordsSchemas: true)
    _ = KindDecoder.decode(
      Node(value), kind, ObjectMeta(name: "probe", namespace: "default"), problems)
    var answer = Answer(schemas: problems.schemas)
    for problem in problems.list where problem.code == .invalid {
      guard problem.reason.hasPrefix("expected "),
        let end = problem.reason.firstRange(of: ", found an object")
      else { continue }
      let start = problem.reason.index(problem.reason.startIndex, offsetBy: "expected ".count)
      answer.expected[problem.path] = String(problem.reason[start..<end.lowerBound])
    }
    return answer
  }

  private static func path(_ steps: [Step]) -> FieldPath {
    steps.reduce(FieldPath()) { path, step in
      switch step {
      case .field(let name): path[name]
      case .element: path[0]
      }
    }
  }
}
