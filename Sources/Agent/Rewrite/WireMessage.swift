// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a protobuf message.
struct WireError: Error, Hashable {
  var reason: String
}

/// A protobuf message as the fields that its bytes hold, for edits that leave all other bytes alone.
///
/// A message that is decoded and encoded again may come out in another order, and a proxy takes other
/// bytes for another configuration. So an edit replaces the fields on its way and copies the rest.
///
/// https://protobuf.dev/programming-guides/encoding/
struct WireMessage {
  struct Field {
    var number: UInt64
    /// The value's bytes if it is length-delimited.
    var payload: Range<Int>?
    /// The value if it is a varint.
    var varint: UInt64?
    /// The field with its tag.
    var whole: Range<Int>
  }

  /// How the occurrences of a field that is edited count.
  enum Occurrence {
    /// Each is a value of its own.
    case repeated
    /// Parts of one message, to be read one after the other.
    case merged
    /// The last one is the value: strings, bytes.
    case last
  }

  /// What becomes of a value.
  enum Edit: Hashable {
    case keep
    case remove
    case replace([UInt8])
  }

  let bytes: ArraySlice<UInt8>
  let fields: [Field]

  init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
    var reader = WireFieldReader(bytes)
    var fields: [Field] = []
    while let field = try reader.next() { fields.append(field) }
    self.bytes = bytes
    self.fields = fields
  }

  /// The bytes of a message field, its occurrences merged: protobuf defines that as one after the
  /// other.
  func merged(_ number: UInt64) -> ArraySlice<UInt8>? {
    let parts = payloads(number)
    guard parts.count > 1 else { return parts.first.map { bytes[$0] } }
    return ArraySlice(parts.flatMap { bytes[$0] })
  }

  /// The text of a string field; nil where there is none or it is not UTF-8.
  func text(_ number: UInt64) -> String? {
    payloads(number).last.flatMap { String(validating: bytes[$0], as: UTF8.self) }
  }

  func bytes(_ number: UInt64) -> ArraySlice<UInt8>? { payloads(number).last.map { bytes[$0] } }

  func varint(_ number: UInt64) -> UInt64? { fields.last { $0.number == number }?.varint }

  /// Edits length-delimited values.
  ///
  /// - Parameters:
  ///   - occurrences: the fields to edit.
  ///   - edit: gets a field's number and its value, in the order of the message.
  /// - Returns: the message's own edit; `keep` where nothing changed.
  /// - Throws: What `edit` throws.
  func editing<E: Error>(
    _ occurrences: [UInt64: Occurrence], by edit: (UInt64, ArraySlice<UInt8>) throws(E) -> Edit
  ) throws(E) -> Edit {
    var edits: [Int: Edit] = [:]
    for (index, field) in fields.enumerated() {
      guard let payload = field.payload, let occurrence = occurrences[field.number] else {
        continue
      }
      if occurrence == .repeated {
        edits[index] = try edit(field.number, bytes[payload])
        continue
      }
      let all = fields.indices.filter {
        fields[$0].number == field.number && fields[$0].payload != nil
      }
      // A singular value counts where it is complete: at its last occurrence.
      guard all.last == index else { continue }
      let value = occurrence == .merged ? merged(field.number) ?? [] : bytes[payload]
      edits[index] = try edit(field.number, value)
      if occurrence == .merged, edits[index] != .keep {
        for former in all.dropLast() { edits[former] = .remove }
      }
    }
    guard edits.contains(where: { $0.value != .keep }) else { return .keep }
    var result: [UInt8] = []
    for (index, field) in fields.enumerated() {
      switch edits[index] ?? .keep {
      case .keep: result += bytes[field.whole]
      case .remove: break
      case .replace(let value): result += Self.field(field.number, value)
      }
    }
    return .replace(result)
  }

  /// The message without some fields.
  func dropping(_ numbers: Set<UInt64>) -> [UInt8] {
    fields.filter { !numbers.contains($0.number) }.flatMap { bytes[$0.whole] }
  }

  private func payloads(_ number: UInt64) -> [Range<Int>] {
    fields.compactMap { $0.number == number ? $0.payload : nil }
  }

  /// A length-delimited field.
  static func field(_ number: UInt64, _ value: some Collection<UInt8>) -> [UInt8] {
    var result = varint(number << 3 | 2)
    result += varint(UInt64(value.count))
    result += value
    return result
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var result: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      result.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    result.append(UInt8(rest))
    return result
  }
}

extension WireMessage.Edit {
  /// The value after the edit; nil where it is removed.
  func applied(to value: ArraySlice<UInt8>) -> [UInt8]? {
    switch self {
    case .keep: Array(value)
    case .remove: nil
    case .replace(let new): new
    }
  }
}
