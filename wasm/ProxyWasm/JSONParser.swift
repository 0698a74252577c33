// SPDX-License-Identifier: Apache-2.0
// A strict JSON reader: one document, no comments, no trailing commas, escapes and surrogates as
// the RFC has them. Documents come from people, or from requests when a filter reads bodies, so
// depth is bounded: the stack of a module is small.

struct JSONParser {
  /// Nested arrays and objects; deeper ones are an error.
  static let deepest = 64

  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func document() throws(PluginError) -> JSON.Value {
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw unexpected("the end") }
    return value
  }

  private mutating func value(depth: Int) throws(PluginError) -> JSON.Value {
    guard depth <= Self.deepest else { throw error("nested more than \(Self.deepest) deep") }
    switch peek {
    case UInt8(ascii: "{"): return .object(try members(depth: depth))
    case UInt8(ascii: "["): return .array(try items(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func members(
    depth: Int
  ) throws(PluginError) -> [(key: String, value: JSON.Value)] {
    var members: [(key: String, value: JSON.Value)] = []
    offset += 1
    skipSpace()
    if take("}") { return members }
    while true {
      guard peek == UInt8(ascii: "\"") else { throw unexpected("a member name in quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw unexpected("':'") }
      skipSpace()
      members.append((key, try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return members }
      guard take(",") else { throw unexpected("',' or '}'") }
      skipSpace()
    }
  }

  private mutating func items(depth: Int) throws(PluginError) -> [JSON.Value] {
    var items: [JSON.Value] = []
    offset += 1
    skipSpace()
    if take("]") { return items }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return items }
      guard take(",") else { throw unexpected("',' or ']'") }
      skipSpace()
    }
  }

  private mutating func string() throws(PluginError) -> String {
    offset += 1
    var text: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw error("a string that is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"):
        offset += 1
        try escape(into: &text)
      case 0..<0x20:
        throw error("a control character in a string")
      default:
        text.append(byte)
        offset += 1
      }
    }
    throw unexpected("'\"'")
  }

  private mutating func escape(into text: inout [UInt8]) throws(PluginError) {
    guard let byte = peek else { throw unexpected("an escape") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(try scalar()).utf8)
    default:
      offset -= 1
      throw unexpected("an escape")
    }
  }

  /// Behind `\u`: one code unit, or two that are a surrogate pair.
  private mutating func scalar() throws(PluginError) -> Unicode.Scalar {
    let first = try codeUnit()
    var code = first
    if (0xD800..<0xDC00).contains(first) {
      guard take("\\"), take("u") else { throw error("half of a surrogate pair") }
      let second = try codeUnit()
      guard (0xDC00..<0xE000).contains(second) else { throw error("half of a surrogate pair") }
      code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair") }
    return scalar
  }

  private mutating func codeUnit() throws(PluginError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = peek?.hexDigit else {
        throw unexpected("four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      offset += 1
    }
    return code
  }

  private mutating func number() throws(PluginError) -> JSONNumber {
    let start = offset
    _ = take("-")
    if !take("0") { try digits("a value") }
    if take(".") { try digits("a digit") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits("a digit")
    }
    return JSONNumber(text: String(decoding: bytes[start..<offset], as: UTF8.self))
  }

  private mutating func digits(_ what: String) throws(PluginError) {
    let start = offset
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
    guard offset > start else { throw unexpected(what) }
  }

  private mutating func word(
    _ word: StaticString, _ value: JSON.Value
  ) throws(PluginError) -> JSON.Value {
    for index in 0..<word.utf8CodeUnitCount {
      guard peek == word.utf8Start[index] else { throw unexpected("a value") }
      offset += 1
    }
    return value
  }

  private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: scalar) else { return false }
    offset += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  private func unexpected(_ what: String) -> PluginError {
    guard let byte = peek else { return error("expected \(what), found the end") }
    guard (0x20..<0x7F).contains(byte) else { return error("expected \(what), found byte \(byte)") }
    return error("expected \(what), found '\(Unicode.Scalar(byte))'")
  }

  private func error(_ reason: String) -> PluginError {
    let before = bytes[..<min(offset, bytes.count)]
    var (line, column) = (1, 1)
    for byte in before {
      (line, column) = byte == 0x0A ? (line + 1, 1) : (line, column + 1)
    }
    return PluginError("line \(line), column \(column): \(reason)")
  }
}
