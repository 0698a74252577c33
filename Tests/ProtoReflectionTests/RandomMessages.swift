// SPDX-License-Identifier: Apache-2.0

import MeshTesting
import ProtoReflection

/// Makes random messages of any type, of which JSON can carry all.
struct RandomMessages {
  var random: SeededGenerator
  /// Types that an `Any` may hold.
  let anyTypes: [MessageDescriptor]

  init(seed: UInt64, anyTypes: [MessageDescriptor]) {
    random = SeededGenerator(seed: seed)
    self.anyTypes = anyTypes
  }

  mutating func message(_ type: MessageDescriptor, depth: Int = 0) -> DynamicMessage {
    if let wellKnown = type.wellKnownType, let special = special(wellKnown, type, depth) {
      return special
    }
    var message = DynamicMessage(type)
    // Deeper messages are sparser, and so end.
    let odds = depth == 0 ? 0.7 : depth == 1 ? 0.4 : depth < 5 ? 0.2 : 0
    for field in type.fields where Double.random(in: 0..<1, using: &random) < odds {
      if let value = value(of: field, depth: depth) { message.set(value, for: field) }
    }
    return message
  }

  private mutating func value(of field: FieldDescriptor, depth: Int) -> DynamicValue? {
    switch field.cardinality {
    case .singular: return element(of: field, depth: depth)
    case .repeated:
      let count = Int.random(in: 1...3, using: &random)
      let elements = (0..<count).compactMap { _ in element(of: field, depth: depth) }
      return elements.isEmpty ? nil : .list(elements)
    case .map:
      guard let entry = field.mapEntry else { return nil }
      var entries: [MapKey: DynamicValue] = [:]
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        guard let key = element(of: entry.key, depth: depth).flatMap(Self.key),
          let value = element(of: entry.value, depth: depth)
        else { continue }
        entries[key] = value
      }
      return entries.isEmpty ? nil : .map(entries)
    }
  }

  private mutating func element(of field: FieldDescriptor, depth: Int) -> DynamicValue? {
    switch field.kind {
    case .double: .double(double())
    case .float: .float(float())
    case .int32, .sint32, .sfixed32: .int32(integer())
    case .int64, .sint64, .sfixed64: .int64(integer())
    case .uint32, .fixed32: .uint32(integer())
    case .uint64, .fixed64: .uint64(integer())
    case .bool: .bool(Bool.random(using: &random))
    case .string: .string(text())
    case .bytes: .bytes((0..<Int.random(in: 0...9, using: &random)).map { _ in integer() })
    case .enum:
      field.enumeration.map { type in
        let named = type.values.map(\.number)
        // JSON has one form for null, and peers of theirs for it differ.
        let isOpen = !type.isClosed && !type.isNullValue
        let number = isOpen && integer(in: 0...9) == 0 ? integer(in: 900...999) : nil
        return .enumeration(Int32(number ?? Int(named.randomElement(using: &random) ?? 0)))
      }
    case .message, .group: field.message.map { .message(message($0, depth: depth + 1)) }
    }
  }

  private mutating func special(
    _ wellKnown: WellKnownType, _ type: MessageDescriptor, _ depth: Int
  ) -> DynamicMessage? {
    var message = DynamicMessage(type)
    func set(_ number: Int32, _ value: DynamicValue) {
      if let field = type.field(number: number) { message.set(value, for: field) }
    }
    switch wellKnown {
    case .any:
      guard let content = anyTypes.randomElement(using: &random), depth < 4 else { return message }
      return DynamicMessage(packing: self.message(content, depth: depth + 1), as: type)
    case .duration:
      let sign: Int64 = Bool.random(using: &random) ? 1 : -1
      set(1, .int64(sign * Int64(integer(in: 0...315_576_000_000))))
      set(2, .int32(Int32(sign) * nanos()))
    case .timestamp:
      set(1, .int64(Int64(integer(in: -62_135_596_800...253_402_300_799))))
      set(2, .int32(nanos()))
    case .fieldMask:
      let paths = ["a", "foo_bar", "foo.bar_baz", "x.y_z.w"].shuffled(using: &random).prefix(2)
      set(1, .list(paths.map(DynamicValue.string)))
    case .value:
      let number = Int32(integer(in: 1...(depth < 4 ? 6 : 4)))
      if number == 2 {
        set(2, .double([0, -0.0, 1, 0.1, -2.5e300, 1e21].randomElement(using: &random) ?? 0))
      } else if let field = type.field(number: number),
        let value = element(of: field, depth: depth)
      {
        message.set(value, for: field)
      }
    default: return nil
    }
    return message
  }

  private mutating func nanos() -> Int32 {
    let digits = [0, 500_000_000, 1_000_000, 1_000, 1, 999_999_999]
    return Int32(digits.randomElement(using: &random) ?? 0)
  }

  private mutating func integer(in range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  private mutating func integer<I: FixedWidthInteger>() -> I {
    switch integer(in: 0...5) {
    case 0: 0
    case 1: .max
    case 2: .min
    case 3: I(truncatingIfNeeded: integer(in: 0...200))
    default: I(truncatingIfNeeded: random.next())
    }
  }

  private mutating func double() -> Double {
    let edges: [Double] = [
      0, -0.0, 1, -1.5, 0.1, 1e21, Double.leastNonzeroMagnitude, .greatestFiniteMagnitude,
      .infinity, -.infinity, .nan,
      9_007_199_254_740_992, -0x1.8p62,
    ]
    return edges.randomElement(using: &random) ?? 0
  }

  private mutating func float() -> Float {
    let edges: [Float] = [
      0, -0.0, 1, 0.1, 16_777_216, Float.leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity,
      -.infinity, .nan,
    ]
    return edges.randomElement(using: &random) ?? 0
  }

  private mutating func text() -> String {
    let texts = [
      "", "a", "envoy.filters.http.lua", "quote \" and \\", "line\nbreak\ttab", "äöü 日本 🚢",
      "\u{1}\u{7F}", "true", "12", "{\"a\":1}",
    ]
    return texts.randomElement(using: &random) ?? ""
  }

  private static func key(_ value: DynamicValue) -> MapKey? {
    switch value {
    case .bool(let value): .bool(value)
    case .string(let value): .string(value)
    case .int32(let value): .integer(Int64(value))
    case .int64(let value): .integer(value)
    case .uint32(let value): .unsigned(UInt64(value))
    case .uint64(let value): .unsigned(value)
    default: nil
    }
  }
}
