// SPDX-License-Identifier: Apache-2.0

/// JSON from text.
extension JSONValue {
  /// Parses a JSON text.
  ///
  /// - Throws: `JSONSyntaxError` with line and column when the text is no JSON, nests deeper
  ///   than 256, or repeats a key of an object.
  package init(parsing text: String) throws(JSONSyntaxError) {
    try self.init(parsing: Array(text.utf8))
  }

  /// Parses a JSON text in UTF-8.
  ///
  /// - Throws: `JSONSyntaxError` as `init(parsing: String)` does.
  package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.document()
  }
}

/// A recursive descent over UTF-8.
///
/// https://www.rfc-editor.org/rfc/rfc8259
private struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  /// Hostile input must not end the stack; protobuf itself stops at a depth of 100.
  static let maximumDepth = 256

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value(depth: 0)
    skipWhitespace()
    guard position == bytes.count else { throw expected("the end of the text") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    guard depth < Self.maximumDepth else {
      throw expected("at most \(Self.maximumDepth) levels of nesting")
    }
    skipWhitespace()
    switch peek() {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"): return try number()
    case let byte? where (0x30...0x39).contains(byte): return try number()
    default: throw expected("a value")
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    var object = JSONObject()
    position += 1
    skipWhitespace()
    if take("}") { return .object(object) }
    while true {
      skipWhitespace()
      guard peek() == UInt8(ascii: "\"") else { throw expected("a key in quotes") }
      let key = try string()
      guard object[key] == nil else { throw expected("each key once, found \"\(key)\" again") }
      skipWhitespace()
      guard take(":") else { throw expected("a colon after a key") }
      object[key] = try value(depth: depth + 1)
      skipWhitespace()
      if take("}") { return .object(object) }
      guard take(",") else { throw expected("a comma or the end of an object") }
    }
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    var array: [JSONValue] = []
    position += 1
    skipWhitespace()
    if take("]") { return .array(array) }
    while true {
      array.append(try value(depth: depth + 1))
      skipWhitespace()
      if take("]") { return .array(array) }
      guard take(",") else { throw expected("a comma or the end of a list") }
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    guard let (end, isInteger) = JSONNumber.scan(bytes, from: position) else {
      throw expected("a number")
    }
    let text = String(decoding: bytes[position..<end], as: UTF8.self)
    guard let number = JSONNumber(scanned: text, isInteger: isInteger) else {
      throw expected("a number within a double's range")
    }
    position = end
    return .number(number)
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
          throw expected("UTF-8 in a string")
        }
        position += 1
        return text
      case UInt8(ascii: "\\"): return try escapedString(from: start)
      case 0..<0x20: throw expected("no control character in a string")
      default: position += 1
      }
    }
    throw expected("a closing quote")
  }

  private mutating func escapedString(from start: Int) throws(JSONSyntaxError) -> String {
    var content = Array(bytes[start..<position])
    while let byte = peek() {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw expected("UTF-8 in a string")
        }
        return text
      case UInt8(ascii: "\\"): content.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw expected("no control character in a string")
      default: content.append(byte)
      }
    }
    throw expected("a closing quote")
  }

  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    guard let byte = peek() else { throw expected("an escape") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try hexadecimalUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      guard unit < 0xDC00, take("\\"), take("u") else { throw expected("a surrogate pair") }
      let low = try hexadecimalUnit()
      guard (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw expected("a surrogate pair") }
      return scalar
    default: throw expected("an escape")
    }
  }

  private mutating func hexadecimalUnit() throws(JSONSyntaxError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw expected("four hexadecimal digits")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  private mutating func literal(
    _ text: StaticString, _ value: JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count,
      bytes[position..<position + count].elementsEqual("\(text)".utf8)
    else { throw expected("a value") }
    position += count
    return value
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipWhitespace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private func expected(_ what: String) -> JSONSyntaxError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.count { $0 == 0x0A } + 1
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return JSONSyntaxError(
      "malformed JSON at line \(line), column \(before.count - lineStart + 1): expected \(what)")
  }
}
