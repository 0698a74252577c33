// SPDX-License-Identifier: Apache-2.0

import JSON

/// Numbers, strings, bytes and keys of maps, each with its range.
extension JSONMessageDecoder {
  mutating func scalar(_ json: JSONValue, of kind: FieldDescriptor.Kind) -> DynamicValue? {
    switch kind {
    case .bool:
      guard case .bool(let value) = json else {
        return fail("expected true or false, found \(json.kind)")
      }
      return .bool(value)
    case .string:
      guard case .string(let value) = json else { return notAString(json) }
      return .string(value)
    case .bytes:
      guard case .string(let text) = json else {
        return fail("expected base64, found \(json.kind)")
      }
      guard let bytes = Base64.decode(text) else {
        return fail("expected base64, found \(Self.quoted(text))")
      }
      return .bytes(bytes)
    case .int32, .sint32, .sfixed32:
      return integer(json, as: Int32.self, "a 32-bit integer").map(DynamicValue.int32)
    case .int64, .sint64, .sfixed64:
      return integer(json, as: Int64.self, "a 64-bit integer").map(DynamicValue.int64)
    case .uint32, .fixed32:
      return integer(json, as: UInt32.self, "an unsigned 32-bit integer").map(DynamicValue.uint32)
    case .uint64, .fixed64:
      return integer(json, as: UInt64.self, "an unsigned 64-bit integer").map(DynamicValue.uint64)
    case .double: return floatingPoint(json).map(DynamicValue.double)
    case .float:
      guard let value = floatingPoint(json) else { return nil }
      let narrow = Float(value)
      // Rounding to infinity means out of range, unless infinity was meant.
      guard narrow.isFinite || !value.isFinite else {
        return fail("expected a 32-bit float, found \(value)")
      }
      return .float(narrow)
    case .enum, .message, .group: preconditionFailure("enums and messages are no scalars")
    }
  }

  mutating func mapKey(_ key: String, of field: FieldDescriptor) -> MapKey? {
    switch field.kind {
    case .string: return .string(key)
    case .bool:
      switch key {
      case "true": return .bool(true)
      case "false": return .bool(false)
      default: return fail("expected the key true or false, found \(Self.quoted(key))")
      }
    default:
      return scalar(.string(key), of: field.kind).flatMap(MapKey.init(_:))
    }
  }

  private mutating func notAString(_ json: JSONValue) -> DynamicValue? {
    switch json {
    // YAML reads 8080 and true as such; users mean the text.
    case .number(let number):
      return fail("expected a string, found the number \(number.text); put it in quotes")
    case .bool(let value): return fail("expected a string, found \(value); put it in quotes")
    default: return fail("expected a string, found \(json.kind)")
    }
  }

  private mutating func integer<I: FixedWidthInteger>(
    _ json: JSONValue, as type: I.Type, _ expected: String
  ) -> I? {
    switch json {
    case .number(let number):
      return number.exactly(type) ?? fail("expected \(expected), found \(number.text)")
    case .string(let text):
      guard let value = JSONNumber(literal: text)?.exactly(type) else {
        return fail("expected \(expected), found \(Self.quoted(text))")
      }
      return value
    default: return fail("expected \(expected), found \(json.kind)")
    }
  }

  private mutating func floatingPoint(_ json: JSONValue) -> Double? {
    switch json {
    case .number(let number): return number.doubleValue
    case .string("NaN"): return .nan
    case .string("Infinity"): return .infinity
    case .string("-Infinity"): return -.infinity
    case .string(let text):
      guard let number = JSONNumber(literal: text) else {
        return fail("expected a number, found \(Self.quoted(text))")
      }
      return number.doubleValue
    default: return fail("expected a number, found \(json.kind)")
    }
  }

  /// A user's text in quotes, cut to what a line can bear.
  static func quoted(_ text: String, limit: Int = 64) -> String {
    text.count > limit ? "\"\(text.prefix(limit))…\"" : "\"\(text)\""
  }
}
