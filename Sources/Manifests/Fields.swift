// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The fields of one message: which count, which exist but have no effect here, and which belong to
/// somebody else.
struct Schema {
  /// Decoded, and acted on.
  var fields: [String]
  /// Fields of the API that this version does not act on: a warning where they are set.
  var unsupported: [String] = []
  /// Fields that are not the control plane's matter (`nodePort`): no warning.
  var ignored: [String] = []
}

/// Collects the problems of one object while it is decoded.
final class Problems {
  private(set) var list: [ConfigError] = []
  /// Which members were looked for where, if that is asked for.
  private(set) var schemas: [FieldPath: Schema] = [:]
  private let recordsSchemas: Bool

  init(recordsSchemas: Bool = false) { self.recordsSchemas = recordsSchemas }

  func record(_ schema: Schema, at path: FieldPath) {
    if recordsSchemas { schemas[path] = schema }
  }

  func add(_ problem: ConfigError) { list.append(problem) }

  func error(_ code: ConfigError.Code = .invalid, at path: FieldPath, _ reason: String) {
    list.append(ConfigError(code, at: path, reason: reason))
  }

  func warning(_ code: ConfigError.Code, at path: FieldPath, _ reason: String) {
    list.append(ConfigError(code, severity: .warning, at: path, reason: reason))
  }

  /// The value, or nil after its error was noted.
  func catching<T>(_ body: () throws(ConfigError) -> T) -> T? {
    do throws(ConfigError) { return try body() } catch {
      list.append(error)
      return nil
    }
  }
}

/// The fields of an object that is being decoded.
///
/// Making one checks the names: unknown ones and those without effect become warnings. A field may be
/// written in lowerCamelCase or in snake_case, as in protobuf's JSON mapping; null is absent. Reading
/// notes an error and goes on, so that an author sees all mistakes at once.
struct Fields {
  let path: FieldPath
  let problems: Problems
  private let nodes: [String: Node]

  init?(_ node: Node, _ schema: Schema, _ problems: Problems) {
    guard case .object(let members) = node.value.content else {
      problems.add(node.expected("an object"))
      return nil
    }
    path = node.path
    self.problems = problems
    problems.record(schema, at: path)
    var nodes: [String: Node] = [:]
    for member in members where member.value.content != .null {
      let name = Self.camelCased(member.key)
      let field = Node(member.value, at: node.path[member.key])
      if schema.fields.contains(name) {
        if nodes.updateValue(field, forKey: name) != nil {
          problems.error(
            .conflict, at: field.path, "is written twice, as \(name) in both spellings")
        }
      } else if schema.unsupported.contains(name) {
        problems.warning(.unsupported, at: field.path, "is not acted on by this version")
      } else if !schema.ignored.contains(name) {
        let known = schema.fields + schema.unsupported + schema.ignored
        problems.warning(
          .invalid, at: field.path,
          ConfigError.unknownField
            + "\"\(member.key)\"\(NearestName.hint(for: member.key, among: known))")
      }
    }
    self.nodes = nodes
  }

  subscript(name: String) -> Node? { nodes[name] }

  func has(_ name: String) -> Bool { nodes[name] != nil }

  /// A field that may be missing.
  func optional<T>(_ name: String, _ read: (Node) throws(ConfigError) -> T) -> T? {
    guard let node = nodes[name] else { return nil }
    return problems.catching { () throws(ConfigError) in try read(node) }
  }

  /// A field that must be there.
  func required<T>(_ name: String, _ read: (Node) throws(ConfigError) -> T) -> T? {
    guard let node = nodes[name] else {
      problems.error(.required, at: path[name], "is required")
      return nil
    }
    return problems.catching { () throws(ConfigError) in try read(node) }
  }

  /// The elements of a list; each that cannot be read notes its own error.
  func each<T>(_ name: String, _ read: (Node) -> T?) -> [T] {
    let elements = optional(name) { (node) throws(ConfigError) in try node.list() } ?? []
    return elements.compactMap(read)
  }

  /// How many elements a list has; 0 where it is missing or no list.
  func count(_ name: String) -> Int {
    guard case .list(let elements)? = nodes[name]?.value.content else { return 0 }
    return elements.count
  }

  /// Whether a list is missing or has no elements; false for what is no list.
  func isMissingOrEmpty(_ name: String) -> Bool {
    guard let content = nodes[name]?.value.content else { return true }
    return content == .list([])
  }

  /// Whether a field is there, and neither an empty text nor an empty list.
  func isFilled(_ name: String) -> Bool {
    guard let content = nodes[name]?.value.content else { return false }
    return content != .string("") && content != .list([])
  }

  /// A nested object.
  func object(_ name: String, _ schema: Schema) -> Fields? {
    nodes[name].flatMap { Fields($0, schema, problems) }
  }

  /// `proxy_version` → `proxyVersion`.
  private static func camelCased(_ name: String) -> String {
    guard name.utf8.contains(UInt8(ascii: "_")) else { return name }
    let words = name.split(separator: "_")
    guard let first = words.first else { return name }
    return first + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}
