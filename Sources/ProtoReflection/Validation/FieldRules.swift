// SPDX-License-Identifier: Apache-2.0

/// The `validate.rules` of one field, ready to be checked.
///
/// https://github.com/bufbuild/protoc-gen-validate
indirect enum FieldRules: Sendable {
  case signed(BoundRules<Int64>)
  case unsigned(BoundRules<UInt64>)
  case floating(BoundRules<Double>)
  case bool(const: Bool?)
  case string(StringRules)
  case bytes(BytesRules)
  case enumeration(EnumRules)
  case repeated(RepeatedRules)
  case map(MapRules)
  case any(AnyRules)
  case duration(TimeRules)
  case timestamp(TimeRules)
  /// `message` rules alone, or none.
  case none

  /// Whether the rules ask for a message field to be set.
  var requiresTimeOrAny: Bool {
    switch self {
    case .any(let rules): rules.isRequired
    case .duration(let rules), .timestamp(let rules): rules.isRequired
    default: false
    }
  }
}

/// A field's rules with what `message` rules add to them.
struct FieldConstraint: Sendable {
  var rules = FieldRules.none
  /// The field must be set.
  var isRequired = false
  /// The message in the field is not looked into.
  var skips = false
}

/// Rules of anything ordered: numbers, durations, times.
struct BoundRules<Value: Hashable & Comparable & Sendable>: Sendable {
  var const: Value?
  var lessThan: Value?
  var atMost: Value?
  var greaterThan: Value?
  var atLeast: Value?
  var allowed: [Value] = []
  var forbidden: [Value] = []
  var ignoresEmpty = false
}

struct StringRules: Sendable {
  var const: String?
  var length: UInt64?
  var minimumLength: UInt64?
  var maximumLength: UInt64?
  var byteLength: UInt64?
  var minimumBytes: UInt64?
  var maximumBytes: UInt64?
  var pattern: String?
  var prefix: String?
  var suffix: String?
  var contains: String?
  var excludes: String?
  var allowed: [String] = []
  var forbidden: [String] = []
  var form: StringForm?
  var ignoresEmpty = false
}

struct BytesRules: Sendable {
  var const: [UInt8]?
  var length: UInt64?
  var minimumLength: UInt64?
  var maximumLength: UInt64?
  var pattern: String?
  var prefix: [UInt8]?
  var suffix: [UInt8]?
  var contains: [UInt8]?
  var allowed: [[UInt8]] = []
  var forbidden: [[UInt8]] = []
  /// The numbers of bytes that an address in binary may have; empty if it need not be one.
  var addressLengths: [Int] = []
  var ignoresEmpty = false
}

struct EnumRules: Sendable {
  var const: Int32?
  var definedOnly = false
  var allowed: [Int32] = []
  var forbidden: [Int32] = []
}

struct RepeatedRules: Sendable {
  var minimum: UInt64?
  var maximum: UInt64?
  var isUnique = false
  var items = FieldConstraint()
  var ignoresEmpty = false
}

struct MapRules: Sendable {
  var minimum: UInt64?
  var maximum: UInt64?
  var keys = FieldConstraint()
  var values = FieldConstraint()
  var ignoresEmpty = false
}

struct AnyRules: Sendable {
  var isRequired = false
  var allowed: [String] = []
  var forbidden: [String] = []
}

struct TimeRules: Sendable {
  var isRequired = false
  var bounds = BoundRules<SecondsAndNanos>()
  var mustBePast = false
  var mustBeFuture = false
  /// How far from now a time may be.
  var within: SecondsAndNanos?
}
