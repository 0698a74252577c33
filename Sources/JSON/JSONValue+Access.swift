// SPDX-License-Identifier: Apache-2.0

/// Making values, and looking into those whose form is known.
extension JSONValue {
  package static func integer(_ value: some FixedWidthInteger) -> Self {
    .number(Int64(exactly: value).map(JSONNumber.init) ?? JSONNumber(UInt64(value)))
  }

  /// An object of these members, in this order; of equal keys the last counts.
  package static func object(pairs: some Sequence<(String, JSONValue)>) -> Self {
    var object = JSONObject()
    for (key, value) in pairs { object[key] = value }
    return .object(object)
  }

  /// An object of strings, by key.
  package static func object(strings: [String: String]) -> Self {
    .object(pairs: strings.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
  }

  package var stringValue: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var integerValue: Int64? {
    if case .number(let number) = self { number.exactly(Int64.self) } else { nil }
  }

  package var doubleValue: Double? {
    if case .number(let number) = self { number.doubleValue } else { nil }
  }

  package var arrayElements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  package var objectMembers: JSONObject? {
    if case .object(let object) = self { object } else { nil }
  }

  /// Puts a member before all others of an object, where `@type` belongs.
  package mutating func insertFirst(_ value: JSONValue, forKey key: String) {
    guard case .object(var object) = self else { return }
    object.insertFirst(value, forKey: key)
    self = .object(object)
  }
}

extension JSONValue: CustomStringConvertible {
  /// The JSON text on one line.
  package var description: String { text() }
}
