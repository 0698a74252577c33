// SPDX-License-Identifier: Apache-2.0
// A JSON value that knows where it stands in its document, so that a configuration's mistake is
// reported with its path: `headers.x-wasm: expected a string, found a number`.
// https://www.rfc-editor.org/rfc/rfc8259

struct JSON {
  indirect enum Value {
    case missing
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([Value])
    case object([(key: String, value: Value)])
  }

  let value: Value
  /// Such as `rules[0].prefix`; empty for the document.
  let path: String

  init(_ value: Value, path: String = "") {
    self.value = value
    self.path = path
  }

  /// Reads a whole document.
  init(parsing bytes: [UInt8]) throws(PluginError) {
    var parser = JSONParser(bytes)
    self.init(try parser.document())
  }

  /// A member of an object, the last one of that name.
  ///
  /// It is `missing` if there is none or this is no
  /// object.
  subscript(key: String) -> JSON {
    let memberPath = path.isEmpty ? key : "\(path).\(key)"
    if case .object(let members) = value,
      let member = members.last(where: { $0.key.hasSameBytes(as: key) })
    {
      return JSON(member.value, path: memberPath)
    }
    return JSON(.missing, path: memberPath)
  }

  /// This value, or nil if it is missing or null.
  var ifPresent: JSON? {
    switch value {
    case .missing, .null: nil
    default: self
    }
  }

  /// The members in their order.
  func object() throws(PluginError) -> [(key: String, value: JSON)] {
    guard case .object(let members) = value else { throw expected("an object") }
    return members.map { member in
      (member.key, JSON(member.value, path: path.isEmpty ? member.key : "\(path).\(member.key)"))
    }
  }

  func array() throws(PluginError) -> [JSON] {
    guard case .array(let items) = value else { throw expected("an array") }
    return items.indices.map { JSON(items[$0], path: "\(path)[\($0)]") }
  }

  func string() throws(PluginError) -> String {
    guard case .string(let text) = value else { throw expected("a string") }
    return text
  }

  func bool() throws(PluginError) -> Bool {
    guard case .bool(let bool) = value else { throw expected("a boolean") }
    return bool
  }

  func integer() throws(PluginError) -> Int64 {
    guard case .number(let number) = value, let integer = number.integer else {
      throw expected("an integer")
    }
    return integer
  }

  func double() throws(PluginError) -> Double {
    guard case .number(let number) = value else { throw expected("a number") }
    return number.double
  }

  /// An error that says what stood here instead.
  func expected(_ what: String) -> PluginError {
    PluginError("\(path.isEmpty ? "the document" : path): expected \(what), found \(kind)")
  }

  private var kind: String {
    switch value {
    case .missing: "nothing"
    case .null: "null"
    case .bool: "a boolean"
    case .number(let number): "the number \(number.text)"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
