// SPDX-License-Identifier: Apache-2.0

/// A `google.protobuf.Struct` or a value in it, on the wire: members keep their order in an edit.
///
/// https://protobuf.dev/reference/protobuf/google.protobuf/#struct
struct WireStruct {
  private enum Number {
    static let fields: UInt64 = 1
    static let key: UInt64 = 1
    static let value: UInt64 = 2
    static let numberValue: UInt64 = 2
    static let stringValue: UInt64 = 3
    static let boolValue: UInt64 = 4
    static let structValue: UInt64 = 5
    static let listValue: UInt64 = 6
    static let listValues: UInt64 = 1
  }

  let message: WireMessage
  private let keys: [String?]

  init(_ bytes: ArraySlice<UInt8>) throws(WireError) {
    message = try WireMessage(bytes)
    var keys: [String?] = []
    for field in message.fields {
      guard field.number == Number.fields, let payload = field.payload else {
        keys.append(nil)
        continue
      }
      keys.append(try WireMessage(message.bytes[payload]).text(Number.key) ?? "")
    }
    self.keys = keys
  }

  var memberNames: [String] { keys.compactMap(\.self) }

  /// A member's `google.protobuf.Value`, by any of its names; a null is no member.
  func value(_ names: [String]) throws(WireError) -> WireMessage? {
    guard let index = lastIndex(names), let payload = message.fields[index].payload,
      let bytes = try WireMessage(message.bytes[payload]).merged(Number.value)
    else { return nil }
    let value = try WireMessage(bytes)
    return value.fields.last.flatMap { $0.number == 1 ? nil : value }
  }

  func member(_ names: String...) throws(WireError) -> WireStruct? {
    guard let bytes = try value(names)?.merged(Number.structValue) else { return nil }
    return try WireStruct(bytes)
  }

  /// Whether a member is null or an object without members.
  func isNothing(_ name: String) throws(WireError) -> Bool {
    guard let value = try value([name]) else { return true }
    guard let object = value.merged(Number.structValue) else { return false }
    return try WireStruct(object).memberNames.isEmpty
  }

  func text(_ names: String...) throws(WireError) -> String? {
    try value(names)?.text(Number.stringValue)
  }

  func isTrue(_ names: String...) throws(WireError) -> Bool {
    try value(names)?.varint(Number.boolValue) == 1
  }

  /// An enum's value as JSON writes it: its name, or its number.
  func isEnum(_ names: String..., name: String, number: Double) throws(WireError) -> Bool {
    guard let value = try value(names) else { return false }
    let field = value.fields.last { $0.number == Number.numberValue }
    let bits = field.map { value.bytes[$0.whole].suffix(8) } ?? []
    let found = bits.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return value.text(Number.stringValue) == name
      || field != nil && Double(bitPattern: found) == number
  }

  /// Edits a member that is an object, by any of its names.
  func editing(
    _ names: String..., by edit: (WireStruct) throws(WireError) -> WireMessage.Edit
  ) throws(WireError) -> WireMessage.Edit {
    try editingValue(names) { value throws(WireError) in
      try value.editing([Number.structValue: .merged]) { _, bytes throws(WireError) in
        try edit(WireStruct(bytes))
      }
    }
  }

  /// Edits each object in a member that is a list.
  func editingEach(
    _ names: String..., by edit: (WireStruct) throws(WireError) -> WireMessage.Edit
  ) throws(WireError) -> WireMessage.Edit {
    try editingValue(names) { value throws(WireError) in
      try value.editing([Number.listValue: .merged]) { _, list throws(WireError) in
        try WireMessage(list).editing([Number.listValues: .repeated]) {
          _, element throws(WireError) in
          try WireMessage(element).editing([Number.structValue: .merged]) {
            _, bytes throws(WireError) in
            try edit(WireStruct(bytes))
          }
        }
      }
    }
  }

  /// Replaces the members of some names by one, at the place of the last of them.
  func replacing(_ names: Set<String>, with entry: [UInt8]?) -> [UInt8] {
    let matching = keys.indices.filter { keys[$0].map(names.contains) ?? false }
    return keys.indices.flatMap { index -> [UInt8] in
      guard matching.contains(index) else {
        return Array(message.bytes[message.fields[index].whole])
      }
      return index == matching.last ? entry ?? [] : []
    }
  }

  /// A member: a name and a value of type string or object, as the bytes of a Struct.
  static func entry(_ name: String, text: String) -> [UInt8] {
    entry(name, WireMessage.field(Number.stringValue, text.utf8))
  }

  static func entry(_ name: String, object: [UInt8]) -> [UInt8] {
    entry(name, WireMessage.field(Number.structValue, object))
  }

  private static func entry(_ name: String, _ value: [UInt8]) -> [UInt8] {
    WireMessage.field(
      Number.fields,
      WireMessage.field(Number.key, name.utf8) + WireMessage.field(Number.value, value))
  }

  private func lastIndex(_ names: [String]) -> Int? {
    keys.lastIndex { key in key.map(names.contains) ?? false }
  }

  private func editingValue(
    _ names: [String], by edit: (WireMessage) throws(WireError) -> WireMessage.Edit
  ) throws(WireError) -> WireMessage.Edit {
    guard let target = lastIndex(names) else { return .keep }
    var index = -1
    // Fields that are no members are seen neither here nor by `editing`.
    let position = keys[...target].count { $0 != nil } - 1
    return try message.editing([Number.fields: .repeated]) { _, entry throws(WireError) in
      index += 1
      guard index == position else { return .keep }
      return try WireMessage(entry).editing([Number.value: .merged]) { _, value throws(WireError) in
        try edit(WireMessage(value))
      }
    }
  }
}
