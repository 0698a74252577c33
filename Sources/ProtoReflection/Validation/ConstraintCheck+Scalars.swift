// SPDX-License-Identifier: Apache-2.0

/// Rules of numbers, strings, bytes and enums.
extension ConstraintCheck {
  mutating func scalar(
    _ value: DynamicValue, _ rules: FieldRules, enumeration: EnumDescriptor?
  ) {
    switch rules {
    case .signed(let rules):
      if let value = value.signed { bounds(value, rules) { "\($0)" } }
    case .unsigned(let rules):
      if let value = value.unsigned { bounds(value, rules) { "\($0)" } }
    case .floating(let rules):
      if let value = value.double { bounds(value, rules) { "\($0)" } }
    case .bool(let const):
      if let const, let value = value.bool, value != const {
        fail("expected \(const), found \(value)")
      }
    case .string(let rules): if let value = value.string { string(value, rules) }
    case .bytes(let rules): if let value = value.bytes { bytes(value, rules) }
    case .enumeration(let rules):
      guard case .enumeration(let number) = value else { return }
      self.enumeration(number, rules, enumeration)
    case .repeated, .map, .any, .duration, .timestamp, .none: return
    }
  }

  mutating func bounds<Value: Hashable & Comparable & Sendable>(
    _ value: Value, _ rules: BoundRules<Value>, _ text: (Value) -> String
  ) {
    if rules.ignoresEmpty, isZero(value) { return }
    if let const = rules.const, value != const {
      fail("expected \(text(const)), found \(text(value))")
    }
    let isAboveLower =
      rules.greaterThan.map { value > $0 } ?? rules.atLeast.map { value >= $0 } ?? true
    let isBelowUpper =
      rules.lessThan.map { value < $0 } ?? rules.atMost.map { value <= $0 } ?? true
    let lower = rules.greaterThan ?? rules.atLeast
    let upper = rules.lessThan ?? rules.atMost
    // An upper bound below the lower one means "outside", as in less than 2 or more than 5.
    let isOutside = if let lower, let upper { upper < lower } else { false }
    if isOutside ? !(isAboveLower || isBelowUpper) : !(isAboveLower && isBelowUpper) {
      let above =
        rules.greaterThan.map { "more than \(text($0))" }
        ?? rules.atLeast.map { "at least \(text($0))" }
      let below =
        rules.lessThan.map { "less than \(text($0))" }
        ?? rules.atMost.map { "at most \(text($0))" }
      let range = [above, below].compactMap { $0 }.joined(separator: isOutside ? " or " : " and ")
      fail("expected \(range), found \(text(value))")
    }
    membership(value, rules.allowed, rules.forbidden, text)
  }

  mutating func membership<Value: Equatable>(
    _ value: Value, _ allowed: [Value], _ forbidden: [Value], _ text: (Value) -> String
  ) {
    if !allowed.isEmpty, !allowed.contains(value) {
      let list = allowed.map(text).joined(separator: ", ")
      fail("expected one of \(list), found \(text(value))")
    }
    if forbidden.contains(value) {
      let list = forbidden.map(text).joined(separator: ", ")
      fail("expected none of \(list), found \(text(value))")
    }
  }

  private func isZero<Value: Equatable>(_ value: Value) -> Bool {
    switch value {
    case let value as Int64: value == 0
    case let value as UInt64: value == 0
    case let value as Double: value == 0
    default: false
    }
  }

  private mutating func string(_ value: String, _ rules: StringRules) {
    if rules.ignoresEmpty, value.isEmpty { return }
    let found = JSONMessageDecoder.quoted(value)
    if let const = rules.const, value != const { fail("expected \"\(const)\", found \(found)") }
    // A length is in code points.
    let length = value.unicodeScalars.count
    if let exact = rules.length, UInt64(length) != exact {
      fail("expected \(plural(exact, "character")), found \(length)")
    }
    count(length, rules.minimumLength, rules.maximumLength, of: "character")
    if let exact = rules.byteLength, UInt64(value.utf8.count) != exact {
      fail("expected \(plural(exact, "byte")), found \(value.utf8.count)")
    }
    count(value.utf8.count, rules.minimumBytes, rules.maximumBytes, of: "byte")
    if let pattern = rules.pattern, !Self.matches(value, pattern) {
      fail("expected text that matches \(pattern), found \(found)")
    }
    if let prefix = rules.prefix, !value.utf8.starts(with: prefix.utf8) {
      fail("expected text that begins with \"\(prefix)\", found \(found)")
    }
    if let suffix = rules.suffix, !value.utf8.reversed().starts(with: suffix.utf8.reversed()) {
      fail("expected text that ends with \"\(suffix)\", found \(found)")
    }
    if let part = rules.contains, !Array(value.utf8).contains(Array(part.utf8)) {
      fail("expected text that contains \"\(part)\", found \(found)")
    }
    if let part = rules.excludes, Array(value.utf8).contains(Array(part.utf8)) {
      fail("expected text without \"\(part)\", found \(found)")
    }
    membership(value, rules.allowed, rules.forbidden) { JSONMessageDecoder.quoted($0) }
    if let form = rules.form, !form.matches(value) { fail("expected \(form.text), found \(found)") }
  }

  private mutating func bytes(_ value: [UInt8], _ rules: BytesRules) {
    if rules.ignoresEmpty, value.isEmpty { return }
    let found = "\(plural(UInt64(value.count), "byte"))"
    if let const = rules.const, value != const {
      fail("expected the bytes \(Base64.encode(const)), found others")
    }
    if let exact = rules.length, UInt64(value.count) != exact {
      fail("expected \(plural(exact, "byte")), found \(value.count)")
    }
    count(value.count, rules.minimumLength, rules.maximumLength, of: "byte")
    if let pattern = rules.pattern {
      let text = String(validating: value, as: UTF8.self)
      if !(text.map { Self.matches($0, pattern) } ?? false) {
        fail("expected bytes that match \(pattern), found \(found)")
      }
    }
    if let prefix = rules.prefix, !value.starts(with: prefix) {
      fail("expected bytes that begin with \(Base64.encode(prefix)), found \(found)")
    }
    if let suffix = rules.suffix, !value.reversed().starts(with: suffix.reversed()) {
      fail("expected bytes that end with \(Base64.encode(suffix)), found \(found)")
    }
    if let part = rules.contains, !value.contains(part) {
      fail("expected bytes that contain \(Base64.encode(part)), found \(found)")
    }
    membership(value, rules.allowed, rules.forbidden, Base64.encode)
    if !rules.addressLengths.isEmpty, !rules.addressLengths.contains(value.count) {
      let lengths = rules.addressLengths.map { "\($0)" }.joined(separator: " or ")
      fail("expected an IP address of \(lengths) bytes, found \(found)")
    }
  }

  private mutating func enumeration(
    _ number: Int32, _ rules: EnumRules, _ type: EnumDescriptor?
  ) {
    func text(_ number: Int32) -> String { type?.name(of: number) ?? "\(number)" }
    if let const = rules.const, number != const {
      fail("expected \(text(const)), found \(text(number))")
    }
    if rules.definedOnly, let type, type.name(of: number) == nil {
      fail("expected a value of \(type.fullName), found \(number)")
    }
    membership(number, rules.allowed, rules.forbidden, text)
  }

  /// Whether a pattern matches anywhere, by code points as RE2 does.
  ///
  /// Compiled each time: a compiled regex cannot be shared between threads, and patterns are rare.
  private static func matches(_ value: String, _ pattern: String) -> Bool {
    guard let regex = try? Regex(pattern).matchingSemantics(.unicodeScalar) else { return true }
    return (try? regex.firstMatch(in: value)) != nil
  }
}
