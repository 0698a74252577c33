// SPDX-License-Identifier: Apache-2.0

/// A JSON number, exact for every integer of 64 bits.
///
/// A number has one form only: integers up to `Int64.max` are `integer`, larger ones up to
/// `UInt64.max` are `unsigned`, all others are `double`. So `1`, `1.0` and `1e0` are equal.
package enum JSONNumber: Hashable, Sendable {
  case integer(Int64)
  /// Above `Int64.max`.
  case unsigned(UInt64)
  /// Finite, and no integer below 2^53, except for -0.
  case double(Double)

  package init(_ value: Int64) { self = .integer(value) }

  package init(_ value: UInt64) {
    self = Int64(exactly: value).map(Self.integer) ?? .unsigned(value)
  }

  /// A double, or nil for infinities and NaN, which JSON does not have.
  package init?(_ value: Double) {
    guard value.isFinite else { return nil }
    if abs(value) < 0x1p53, let integer = Int64(exactly: value),
      !(integer == 0 && value.sign == .minus)
    {
      self = .integer(integer)
    } else {
      self = .double(value)
    }
  }

  /// The number in JSON's grammar, or nil when the text is none or beyond a double's range.
  package init?(literal text: String) {
    let bytes = Array(text.utf8)
    guard let kind = Self.scan(bytes), kind.end == bytes.count else { return nil }
    self.init(scanned: text, isInteger: kind.isInteger)
  }

  init?(scanned text: String, isInteger: Bool) {
    if isInteger, text != "-0" {
      if let value = Int64(text) {
        self = .integer(value)
        return
      }
      if let value = UInt64(text) {
        self = .unsigned(value)
        return
      }
    }
    guard let value = Double(text) else { return nil }
    self.init(value)
  }

  /// The end of the number that begins at `start`; nil when none does.
  static func scan(_ bytes: [UInt8], from start: Int = 0) -> (end: Int, isInteger: Bool)? {
    var position = start
    func digits() -> Int {
      var end = position
      while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
      return end - position
    }
    func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }
    if peek() == UInt8(ascii: "-") { position += 1 }
    let hasLeadingZero = peek() == UInt8(ascii: "0")
    let count = digits()
    guard count > 0, !hasLeadingZero || count == 1 else { return nil }
    position += count
    var isInteger = true
    if peek() == UInt8(ascii: ".") {
      position += 1
      let count = digits()
      guard count > 0 else { return nil }
      position += count
      isInteger = false
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      let count = digits()
      guard count > 0 else { return nil }
      position += count
      isInteger = false
    }
    return (position, isInteger)
  }

  /// The nearest double.
  package var doubleValue: Double {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .double(let value): value
    }
  }

  /// The value as any integer type, or nil when it has a fraction or does not fit.
  package func exactly<I: FixedWidthInteger>(_ type: I.Type) -> I? {
    switch self {
    case .integer(let value): I(exactly: value)
    case .unsigned(let value): I(exactly: value)
    case .double(let value): I(exactly: value)
    }
  }

  /// The shortest text that reads back as the same number.
  package var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .double(let value): "\(value)"
    }
  }
}
