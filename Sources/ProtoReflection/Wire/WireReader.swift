// SPDX-License-Identifier: Apache-2.0

/// Reads protobuf's wire format, one tag and one value at a time.
///
/// Bounds are checked at every step, so hostile bytes end in an error and never in a trap. A
/// reader of a nested message shares the bytes of its parent.
struct WireReader {
  let bytes: [UInt8]
  private(set) var position: Int
  let end: Int

  init(_ bytes: [UInt8]) {
    self.init(bytes, 0..<bytes.count)
  }

  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    self.position = range.lowerBound
    self.end = range.upperBound
  }

  var isAtEnd: Bool { position >= end }

  /// The next tag, or nil at the end.
  mutating func nextTag() throws(ReflectionError) -> (number: Int32, type: WireType)? {
    guard position < end else { return nil }
    let tag = try varint()
    guard tag <= UInt64(UInt32.max), let type = WireType(rawValue: UInt8(tag & 7)), tag >> 3 > 0
    else { throw malformed("a field tag of \(tag)") }
    return (Int32(tag >> 3), type)
  }

  mutating func varint() throws(ReflectionError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 {
        // The tenth byte holds only the topmost bit of 64.
        guard shift < 63 || byte <= 1 else { throw malformed("a varint of more than 64 bits") }
        return value
      }
      shift += 7
      guard shift < 70 else { throw malformed("a varint of more than 64 bits") }
    }
    throw malformed("a truncated varint")
  }

  mutating func fixed32() throws(ReflectionError) -> UInt32 {
    guard end - position >= 4 else { throw malformed("a truncated 32-bit value") }
    var value: UInt32 = 0
    for offset in 0..<4 { value |= UInt32(bytes[position + offset]) << UInt32(8 * offset) }
    position += 4
    return value
  }

  mutating func fixed64() throws(ReflectionError) -> UInt64 {
    guard end - position >= 8 else { throw malformed("a truncated 64-bit value") }
    var value: UInt64 = 0
    for offset in 0..<8 { value |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
    position += 8
    return value
  }

  /// The range of a length-delimited value; the reader moves past it.
  mutating func lengthDelimited() throws(ReflectionError) -> Range<Int> {
    let length = try varint()
    guard length <= UInt64(end - position) else {
      throw malformed("a length of \(length) where \(end - position) bytes are left")
    }
    let range = position..<(position + Int(length))
    position = range.upperBound
    return range
  }

  /// A string field's text; proto3 requires UTF-8.
  mutating func string() throws(ReflectionError) -> String {
    let range = try lengthDelimited()
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw ReflectionError("expected UTF-8 in a string, found other bytes")
    }
    return text
  }

  /// The range of a group's contents, without its end tag; the reader moves past both.
  mutating func group(_ number: Int32) throws(ReflectionError) -> Range<Int> {
    let start = position
    // Open groups, innermost last. Iterative, so that depth costs heap and not stack.
    var open = [number]
    while true {
      let contentsEnd = position
      guard let tag = try nextTag() else { throw malformed("a group without an end") }
      switch tag.type {
      case .startGroup: open.append(tag.number)
      case .endGroup:
        guard open.popLast() == tag.number else { throw malformed("a group's end out of place") }
        if open.isEmpty { return start..<contentsEnd }
      case .varint: _ = try varint()
      case .fixed32: _ = try fixed32()
      case .fixed64: _ = try fixed64()
      case .lengthDelimited: _ = try lengthDelimited()
      }
    }
  }

  /// Moves past the value of a field that nobody wants.
  mutating func skip(_ tag: (number: Int32, type: WireType)) throws(ReflectionError) {
    switch tag.type {
    case .varint: _ = try varint()
    case .fixed32: _ = try fixed32()
    case .fixed64: _ = try fixed64()
    case .lengthDelimited: _ = try lengthDelimited()
    case .startGroup: _ = try group(tag.number)
    case .endGroup: throw malformed("a group's end out of place")
    }
  }

  private func malformed(_ found: String) -> ReflectionError {
    ReflectionError("malformed protobuf: found \(found) at byte \(position)")
  }
}
