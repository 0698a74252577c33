// SPDX-License-Identifier: Apache-2.0

package import JSON
import Yams

/// A JSON value as YAML, for people and for goldens.
package enum YAMLPrinter {
  /// Block style, members in their order, strings quoted where YAML would read something else.
  package static func text(_ value: JSONValue) -> String {
    do {
      return try Yams.serialize(node: node(value), indent: 2, width: -1, allowUnicode: true)
    } catch {
      preconditionFailure("a tree of scalars, lists and maps must print as YAML: \(error)")
    }
  }

  private static func node(_ value: JSONValue) -> Yams.Node {
    switch value {
    case .null: plain("null", .null)
    case .bool(let value): plain(value ? "true" : "false", .bool)
    case .number(.double(let value)): plain("\(value)", .float)
    case .number(let number): plain(number.text, .int)
    case .string(let text): string(text)
    case .array(let elements):
      .sequence(.init(elements.map(node), Tag(.seq), elements.isEmpty ? .flow : .block))
    case .object(let members):
      .mapping(
        .init(
          members.map { (string($0.key), node($0.value)) }, Tag(.map),
          members.isEmpty ? .flow : .block))
    }
  }

  private static func plain(_ text: String, _ tag: Tag.Name) -> Yams.Node {
    .scalar(.init(text, Tag(tag), .plain))
  }

  private static func string(_ text: String) -> Yams.Node {
    let resolved = Resolver.default.resolveTag(of: .scalar(.init(text)))
    let style: Yams.Node.Scalar.Style =
      resolved == .str
      ? (text.contains("\n") ? .literal : .any) : .doubleQuoted
    return .scalar(.init(text, Tag(.str), style))
  }
}
