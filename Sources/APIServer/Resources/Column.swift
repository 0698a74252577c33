// SPDX-License-Identifier: Apache-2.0

import JSON

/// One column of a table.
struct Column: Sendable {
  let name: String
  var type = "string"
  /// Above 0 it is shown with `-o wide` only.
  var priority = 0
  let description: String
  let value: @Sendable (JSONValue) -> JSONValue

  init(
    _ name: String, type: String = "string", wide: Bool = false, _ description: String,
    _ value: @escaping @Sendable (JSONValue) -> JSONValue
  ) {
    self.name = name
    self.type = type
    priority = wide ? 1 : 0
    self.description = description
    self.value = value
  }

  /// The value of a field: text, or the elements of a list with commas between them.
  static func field(
    _ name: String, _ path: String..., wide: Bool = false, description: String
  ) -> Column {
    Column(name, wide: wide, description) { object in
      Self.text(path.reduce(object) { $0[$1] ?? .null })
    }
  }

  /// How an object fares at the proxies; `-` while nobody knows.
  static let measured = [
    Column("Programmed", "How many of the proxies that depend on the object run it.") { object in
      let proxies = object["status"]?["proxies"] ?? .null
      guard let count = proxies["programmed"]?.integerValue,
        let total = proxies["total"]?.integerValue
      else { return "-" }
      return .string("\(count)/\(total)")
    },
    Column("Rejected", "How many proxies refuse the object.") { object in
      .string(object["status"]?["proxies"]?["rejected"]?.text() ?? "-")
    },
  ]

  /// A value as a cell.
  static func text(_ value: JSONValue) -> JSONValue {
    switch value {
    case .null: ""
    case .string: value
    case .array(let elements):
      .string(elements.map { $0.stringValue ?? $0.text() }.joined(separator: ","))
    case .object(let members) where members.allSatisfy({ $0.value.stringValue != nil }):
      .string(
        members.map { "\($0.key)=\($0.value.stringValue ?? "")" }.joined(separator: ","))
    default: .string(value.text())
    }
  }
}
