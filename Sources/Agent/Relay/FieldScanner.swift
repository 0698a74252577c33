// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Why bytes from the wire are not the protobuf message that they should be.
struct MalformedMessage: Error, Hashable {
  var reason: String
}

/// Walks over the length-delimited fields of a protobuf message, in place.
///
/// An envelope of a megabyte has three short fields that a relay must know; the rest is stepped over
/// without being decoded or copied. See https://protobuf.dev/programming-guides/encoding/
struct FieldScanner {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next field that has a length; nil at the end.
  mutating func next() throws(MalformedMessage) -> (
    number: UInt64, value: UnsafeRawBufferPointer
  )? {
    while position < bytes.count {
      let tag = try varint()
      switch tag & 7 {
      case 0: _ = try varint()
      case 1: _ = try take(8)
      case 2: return (tag >> 3, try take(varint()))
      case 5: _ = try take(4)
      default: throw MalformedMessage(reason: "a field of wire type \(tag & 7)")
      }
    }
    return nil
  }

  private mutating func varint() throws(MalformedMessage) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < bytes.count else { throw MalformedMessage(reason: "a truncated number") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw MalformedMessage(reason: "a number of more than 64 bits")
  }

  private mutating func take(_ length: UInt64) throws(MalformedMessage) -> UnsafeRawBufferPointer {
    guard length <= UInt64(bytes.count - position) else {
      throw MalformedMessage(reason: "a length of \(length), \(bytes.count - position) bytes left")
    }
    let end = position + Int(length)
    defer { position = end }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
  }
}
