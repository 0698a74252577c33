// SPDX-License-Identifier: Apache-2.0

/// JSON to text.
extension JSONValue {
  /// The JSON text, keys in their order; `pretty` breaks lines and indents by two spaces.
  package func text(pretty: Bool = false) -> String {
    String(decoding: bytes(pretty: pretty), as: UTF8.self)
  }

  /// The same as `text(pretty:)` in UTF-8.
  package func bytes(pretty: Bool = false) -> [UInt8] {
    var printer = JSONPrinter(isPretty: pretty)
    printer.print(self, indent: 0)
    return printer.output
  }
}

private struct JSONPrinter {
  let isPretty: Bool
  var output: [UInt8] = []

  init(isPretty: Bool) { self.isPretty = isPretty }

  mutating func print(_ value: JSONValue, indent: Int) {
    switch value {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .number(let number): output.append(contentsOf: number.text.utf8)
    case .string(let text): print(text)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      var isFirst = true
      for element in elements {
        separate(isFirst: isFirst, indent: indent + 2)
        isFirst = false
        print(element, indent: indent + 2)
      }
      close("]", isEmpty: isFirst, indent: indent)
    case .object(let object):
      output.append(UInt8(ascii: "{"))
      var isFirst = true
      for (key, member) in object {
        separate(isFirst: isFirst, indent: indent + 2)
        isFirst = false
        print(key)
        output.append(UInt8(ascii: ":"))
        if isPretty { output.append(0x20) }
        print(member, indent: indent + 2)
      }
      close("}", isEmpty: isFirst, indent: indent)
    }
  }

  private mutating func separate(isFirst: Bool, indent: Int) {
    if !isFirst { output.append(UInt8(ascii: ",")) }
    breakLine(indent: indent)
  }

  private mutating func close(_ bracket: Unicode.Scalar, isEmpty: Bool, indent: Int) {
    if !isEmpty { breakLine(indent: indent) }
    output.append(UInt8(ascii: bracket))
  }

  private mutating func breakLine(indent: Int) {
    guard isPretty else { return }
    output.append(0x0A)
    output.append(contentsOf: repeatElement(0x20, count: indent))
  }

  private mutating func print(_ text: String) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        output.append(UInt8(ascii: "\\"))
        output.append(byte)
      case 0x0A: output.append(contentsOf: "\\n".utf8)
      case 0x0D: output.append(contentsOf: "\\r".utf8)
      case 0x09: output.append(contentsOf: "\\t".utf8)
      case 0..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        output.append(contentsOf: (byte < 0x10 ? "\\u000" : "\\u00").utf8)
        output.append(contentsOf: digits.utf8)
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
