// SPDX-License-Identifier: Apache-2.0

extension JSONValue: CustomStringConvertible {
  /// Compact JSON on one line.
  package var description: String { printed() }

  /// The value as JSON text (RFC 8259).
  ///
  /// - Parameter pretty: two spaces of indentation and a line for each member; otherwise one line
  ///   without white space.
  /// - Returns: the text, with the members of objects in their order.
  package func printed(pretty: Bool = false) -> String {
    var text: [UInt8] = []
    append(to: &text, indentation: pretty ? 0 : nil)
    return String(decoding: text, as: UTF8.self)
  }

  private func append(to text: inout [UInt8], indentation: Int?) {
    switch self {
    case .null: text += "null".utf8
    case .bool(let value): text += (value ? "true" : "false").utf8
    case .number(let literal): text += literal.utf8
    case .string(let value): Self.append(quoted: value, to: &text)
    case .array(let elements):
      Self.append(elements, to: &text, in: ("[", "]"), indentation) { element, text, inner in
        element.append(to: &text, indentation: inner)
      }
    case .object(let members):
      Self.append(members, to: &text, in: ("{", "}"), indentation) { member, text, inner in
        Self.append(quoted: member.key, to: &text)
        text += (inner == nil ? ":" : ": ").utf8
        member.value.append(to: &text, indentation: inner)
      }
    }
  }

  private static func append<Element>(
    _ elements: [Element], to text: inout [UInt8], in brackets: (String, String),
    _ indentation: Int?, _ body: (Element, inout [UInt8], Int?) -> Void
  ) {
    let inner = indentation.map { $0 + 2 }
    text += brackets.0.utf8
    for (position, element) in elements.enumerated() {
      if position > 0 { text += ",".utf8 }
      if let inner { text += ("\n" + String(repeating: " ", count: inner)).utf8 }
      body(element, &text, inner)
    }
    if let indentation, !elements.isEmpty {
      text += ("\n" + String(repeating: " ", count: indentation)).utf8
    }
    text += brackets.1.utf8
  }

  private static func append(quoted value: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""): text += "\\\"".utf8
      case UInt8(ascii: "\\"): text += "\\\\".utf8
      case UInt8(ascii: "\n"): text += "\\n".utf8
      case UInt8(ascii: "\r"): text += "\\r".utf8
      case UInt8(ascii: "\t"): text += "\\t".utf8
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        text += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
