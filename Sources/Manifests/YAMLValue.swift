// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A value of a YAML document and the line that it stands on.
///
/// Scalars are resolved as YAML 1.2's core schema does, with one look back: words that Kubernetes'
/// YAML 1.1 reading takes for a boolean (`yes`, `no`, `on`, `off`, `y`, `n`) are strings here and
/// carry a mark, so that their author can be told.
package struct YAMLValue: Hashable, Sendable {
  package indirect enum Content: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case list([YAMLValue])
    /// In the order of writing; keys are unique.
    case object([Member])
  }

  package struct Member: Hashable, Sendable {
    package var key: String
    package var keyLine: Int
    /// Why the key means something else to Kubernetes, as far as it does.
    package var isKeyAmbiguous = false
    package var value: YAMLValue
  }

  package var content: Content
  /// Counts from 1.
  package var line: Int
  /// A plain scalar that Kubernetes reads otherwise.
  package var isAmbiguous = false

  package init(_ content: Content, line: Int, isAmbiguous: Bool = false) {
    self.content = content
    self.line = line
    self.isAmbiguous = isAmbiguous
  }

  /// A value without lines of its own: every part stands on `line`.
  package init(_ json: JSONValue, line: Int) {
    let content: Content =
      switch json {
      case .null: .null
      case .bool(let value): .bool(value)
      case .number(let number): .number(number)
      case .string(let text): .string(text)
      case .array(let elements): .list(elements.map { Self($0, line: line) })
      case .object(let members):
        .object(
          members.map {
            Member(key: $0.key, keyLine: line, value: Self($0.value, line: line))
          })
      }
    self.init(content, line: line)
  }

  package var json: JSONValue {
    switch content {
    case .null: .null
    case .bool(let value): .bool(value)
    case .number(let number): .number(number)
    case .string(let text): .string(text)
    case .list(let elements): .array(elements.map(\.json))
    case .object(let members):
      .object(pairs: members.map { ($0.key, $0.value.json) })
    }
  }

  /// The value of a member of an object; nil for anything else, and where it is null.
  package subscript(key: String) -> YAMLValue? {
    guard case .object(let members) = content,
      let value = members.first(where: { $0.key == key })?.value, value.content != .null
    else { return nil }
    return value
  }
}
