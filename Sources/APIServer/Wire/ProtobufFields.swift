// SPDX-License-Identifier: Apache-2.0

/// The fields of a message on the wire, by number
/// (https://protobuf.dev/programming-guides/encoding/).
struct ProtobufFields {
  struct Value {
    var number: UInt64 = 0
    var bytes: ArraySlice<UInt8> = []
  }

  private var values: [Int: [Value]] = [:]

  init(_ bytes: ArraySlice<UInt8>) throws(APIStatus) {
    var rest = bytes
    while !rest.isEmpty {
      let tag = try Self.varint(&rest)
      let number = Int(tag >> 3)
      switch tag & 7 {
      case 0: values[number, default: []].append(Value(number: try Self.varint(&rest)))
      case 2:
        let length = try Self.varint(&rest)
        guard length <= UInt64(rest.count) else { throw Self.malformed }
        values[number, default: []].append(Value(bytes: rest.prefix(Int(length))))
        rest = rest.dropFirst(Int(length))
      default: throw Self.malformed
      }
    }
  }

  subscript(number: Int) -> [Value] { values[number] ?? [] }

  func bytes(_ number: Int) -> ArraySlice<UInt8>? { self[number].last?.bytes }

  func text(_ number: Int) -> String { String(decoding: bytes(number) ?? [], as: UTF8.self) }

  private static let malformed = APIStatus.badRequest(
    "the object provided is unrecognized: malformed protobuf")

  private static func varint(_ rest: inout ArraySlice<UInt8>) throws(APIStatus) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw malformed }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw malformed
  }
}
