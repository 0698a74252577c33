// SPDX-License-Identifier: Apache-2.0

/// Takes a protobuf message apart into its fields; every step is checked against the end.
struct WireFieldReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// The next field; nil at the end.
  mutating func next() throws(WireError) -> WireMessage.Field? {
    guard position < bytes.endIndex else { return nil }
    let start = position
    let (number, type) = try tag()
    var field = WireMessage.Field(number: number, whole: start..<start)
    switch type {
    case 0: field.varint = try varint()
    case 1: try skip(8)
    case 2:
      let length = try varint()
      field.payload = position..<position
      try skip(length)
      field.payload = (field.payload?.lowerBound ?? position)..<position
    case 3: try skipGroup(number)
    case 5: try skip(4)
    default: throw WireError(reason: "a field of type \(type)")
    }
    field.whole = start..<position
    return field
  }

  private mutating func tag() throws(WireError) -> (number: UInt64, type: UInt64) {
    let tag = try varint()
    guard tag <= UInt64(UInt32.max), tag >> 3 > 0 else {
      throw WireError(reason: "a field tag of \(tag)")
    }
    return (tag >> 3, tag & 7)
  }

  private mutating func varint() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < bytes.endIndex else { throw WireError(reason: "a truncated number") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw WireError(reason: "a number of more than 64 bits")
  }

  private mutating func skip(_ length: UInt64) throws(WireError) {
    let left = bytes.endIndex - position
    guard length <= UInt64(left) else {
      throw WireError(reason: "a length of \(length) where \(left) bytes are left")
    }
    position += Int(length)
  }

  /// Moves past a group; iterative, so that nesting costs heap and not stack.
  private mutating func skipGroup(_ number: UInt64) throws(WireError) {
    var open = [number]
    while !open.isEmpty {
      let (number, type) = try tag()
      switch type {
      case 0: _ = try varint()
      case 1: try skip(8)
      case 2: try skip(varint())
      case 3: open.append(number)
      case 4:
        guard open.popLast() == number else {
          throw WireError(reason: "a group's end out of place")
        }
      case 5: try skip(4)
      default: throw WireError(reason: "a field of type \(type)")
      }
    }
  }
}
