// SPDX-License-Identifier: Apache-2.0

/// Rules from `validate.FieldRules`, once for each type.
extension FieldConstraint {
  /// Reads a `validate.FieldRules` message.
  init(_ rules: DynamicMessage?) {
    guard let rules else { return }
    if let message = rules["message"]?.message {
      isRequired = message["required"]?.bool ?? false
      skips = message["skip"]?.bool ?? false
    }
    guard let oneof = rules.descriptor.oneofs.first, let member = rules.setMember(of: oneof),
      let content = rules[number: member.number]?.message
    else { return }
    switch member.name {
    case "float", "double": self.rules = .floating(BoundRules(content, \.double))
    case "int32", "int64", "sint32", "sint64", "sfixed32", "sfixed64":
      self.rules = .signed(BoundRules(content, \.signed))
    case "uint32", "uint64", "fixed32", "fixed64":
      self.rules = .unsigned(BoundRules(content, \.unsigned))
    case "bool": self.rules = .bool(const: content["const"]?.bool)
    case "string": self.rules = .string(StringRules(content))
    case "bytes": self.rules = .bytes(BytesRules(content))
    case "enum": self.rules = .enumeration(EnumRules(content))
    case "repeated": self.rules = .repeated(RepeatedRules(content))
    case "map": self.rules = .map(MapRules(content))
    case "any":
      self.rules = .any(
        AnyRules(
          isRequired: content["required"]?.bool ?? false,
          allowed: content.values("in", \.string), forbidden: content.values("not_in", \.string)))
    case "duration": self.rules = .duration(TimeRules(content))
    case "timestamp": self.rules = .timestamp(TimeRules(content))
    default: self.rules = .none
    }
    isRequired = isRequired || self.rules.requiresTimeOrAny
  }
}

extension BoundRules {
  fileprivate init(_ rules: DynamicMessage, _ value: (DynamicValue) -> Value?) {
    const = rules["const"].flatMap(value)
    lessThan = rules["lt"].flatMap(value)
    atMost = rules["lte"].flatMap(value)
    greaterThan = rules["gt"].flatMap(value)
    atLeast = rules["gte"].flatMap(value)
    allowed = rules.values("in", value)
    forbidden = rules.values("not_in", value)
    ignoresEmpty = rules["ignore_empty"]?.bool ?? false
  }
}

extension StringRules {
  fileprivate init(_ rules: DynamicMessage) {
    const = rules["const"]?.string
    length = rules["len"]?.unsigned
    minimumLength = rules["min_len"]?.unsigned
    maximumLength = rules["max_len"]?.unsigned
    byteLength = rules["len_bytes"]?.unsigned
    minimumBytes = rules["min_bytes"]?.unsigned
    maximumBytes = rules["max_bytes"]?.unsigned
    pattern = rules["pattern"]?.string
    prefix = rules["prefix"]?.string
    suffix = rules["suffix"]?.string
    contains = rules["contains"]?.string
    excludes = rules["not_contains"]?.string
    allowed = rules.values("in", \.string)
    forbidden = rules.values("not_in", \.string)
    ignoresEmpty = rules["ignore_empty"]?.bool ?? false
    let isStrict = rules["strict"]?.bool ?? true
    for form in StringForm.named where rules[form.rawValue]?.bool ?? false { self.form = form }
    switch rules["well_known_regex"]?.int {
    case 1?: form = isStrict ? .headerName : .headerText
    case 2?: form = isStrict ? .headerValue : .headerText
    default: break
    }
  }
}

extension BytesRules {
  fileprivate init(_ rules: DynamicMessage) {
    const = rules["const"]?.bytes
    length = rules["len"]?.unsigned
    minimumLength = rules["min_len"]?.unsigned
    maximumLength = rules["max_len"]?.unsigned
    pattern = rules["pattern"]?.string
    prefix = rules["prefix"]?.bytes
    suffix = rules["suffix"]?.bytes
    contains = rules["contains"]?.bytes
    allowed = rules.values("in", \.bytes)
    forbidden = rules.values("not_in", \.bytes)
    if rules["ip"]?.bool ?? false { addressLengths = [4, 16] }
    if rules["ipv4"]?.bool ?? false { addressLengths = [4] }
    if rules["ipv6"]?.bool ?? false { addressLengths = [16] }
    ignoresEmpty = rules["ignore_empty"]?.bool ?? false
  }
}

extension EnumRules {
  fileprivate init(_ rules: DynamicMessage) {
    const = rules["const"]?.signed.map { Int32(truncatingIfNeeded: $0) }
    definedOnly = rules["defined_only"]?.bool ?? false
    allowed = rules.values("in", \.signed).map { Int32(truncatingIfNeeded: $0) }
    forbidden = rules.values("not_in", \.signed).map { Int32(truncatingIfNeeded: $0) }
  }
}

extension RepeatedRules {
  fileprivate init(_ rules: DynamicMessage) {
    minimum = rules["min_items"]?.unsigned
    maximum = rules["max_items"]?.unsigned
    isUnique = rules["unique"]?.bool ?? false
    items = FieldConstraint(rules["items"]?.message)
    ignoresEmpty = rules["ignore_empty"]?.bool ?? false
  }
}

extension MapRules {
  fileprivate init(_ rules: DynamicMessage) {
    minimum = rules["min_pairs"]?.unsigned
    maximum = rules["max_pairs"]?.unsigned
    keys = FieldConstraint(rules["keys"]?.message)
    values = FieldConstraint(rules["values"]?.message)
    ignoresEmpty = rules["ignore_empty"]?.bool ?? false
  }
}

extension TimeRules {
  fileprivate init(_ rules: DynamicMessage) {
    isRequired = rules["required"]?.bool ?? false
    bounds = BoundRules(rules) { $0.message?.secondsAndNanos }
    mustBePast = rules["lt_now"]?.bool ?? false
    mustBeFuture = rules["gt_now"]?.bool ?? false
    within = rules["within"]?.message?.secondsAndNanos
  }
}

extension DynamicMessage {
  fileprivate func values<Value>(_ name: String, _ value: (DynamicValue) -> Value?) -> [Value] {
    (self[name]?.list ?? []).compactMap(value)
  }
}

extension DynamicValue {
  /// The value of a signed integer or an enum.
  var signed: Int64? {
    switch self {
    case .int32(let value), .enumeration(let value): Int64(value)
    case .int64(let value): value
    default: nil
    }
  }

  /// The value of an unsigned integer.
  var unsigned: UInt64? {
    switch self {
    case .uint32(let value): UInt64(value)
    case .uint64(let value): value
    default: nil
    }
  }

  /// The value of a float or double.
  var double: Double? {
    switch self {
    case .float(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
