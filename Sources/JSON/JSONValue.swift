// SPDX-License-Identifier: Apache-2.0

/// A JSON value whose objects keep their order and whose numbers keep their text.
///
/// What users write in free-form fields (the value of a patch, `pluginConfig`) travels in this form
/// from the manifest to where it is used, without a loss: 64-bit integers stay exact and the members
/// of an object keep their order, so what is printed is what was written.
package enum JSONValue: Hashable, Sendable {
  /// One entry of an object.
  package struct Member: Hashable, Sendable {
    package var key: String
    package var value: JSONValue
    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  case null
  case bool(Bool)
  /// The literal as JSON (RFC 8259, section 6) writes it.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// In the order of writing; keys are unique.
  case object([Member])
}

extension JSONValue {
  package static func integer(_ value: some FixedWidthInteger) -> Self { .number("\(value)") }

  package var stringValue: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The number if it is an integer that fits, also where it is written as `3.0` or `3e2`.
  package var integerValue: Int64? {
    guard case .number(let literal) = self else { return nil }
    if let value = Int64(literal) { return value }
    return Double(literal).flatMap { Int64(exactly: $0) }
  }

  package var doubleValue: Double? {
    if case .number(let literal) = self { Double(literal) } else { nil }
  }

  package var arrayElements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  package var objectMembers: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The value of a member of an object; nil for anything else.
  package subscript(key: String) -> JSONValue? {
    objectMembers?.first { $0.key == key }?.value
  }

  /// What a value is, in the words of an error message: "an object", "a string".
  package var kindDescription: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member(key: $0.0, value: $0.1) })
  }
}
