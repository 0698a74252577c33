// SPDX-License-Identifier: Apache-2.0

/// One walk over a message, collecting violations.
struct ConstraintCheck {
  let validator: ConstraintValidator
  /// Whether what is not set may come from elsewhere.
  var isPart: Bool
  let now: SecondsAndNanos?
  var path: [PathComponent] = []
  var violations: [ReflectionError] = []

  init(validator: ConstraintValidator, isPart: Bool, now: SecondsAndNanos?) {
    self.validator = validator
    self.isPart = isPart
    self.now = now
  }

  mutating func fail(_ reason: String) {
    if violations.count < ConstraintValidator.maximumViolations {
      violations.append(ReflectionError(at: path, reason))
    }
  }

  private mutating func at(_ component: PathComponent, _ body: (inout Self) -> Void) {
    path.append(component)
    body(&self)
    path.removeLast()
  }

  mutating func message(_ message: DynamicMessage) {
    let constraints = validator.constraints(of: message.descriptor)
    guard !constraints.isDisabled else { return }
    for oneof in constraints.requiredOneofs where !isPart && message.setMember(of: oneof) == nil {
      let members = oneof.fieldNumbers.compactMap { message.descriptor.field(number: $0)?.name }
      fail("expected one of \(members.joined(separator: ", ")), found none")
    }
    for (field, constraint) in constraints.fields {
      let value = message[number: field.number]
      if isPart, value == nil { continue }
      at(.field(field.name)) { $0.field(field, constraint, value) }
    }
    if let content = message.anyContent {
      self.message(content)
      return
    }
    for field in message.fields where !constraints.skippedFields.contains(field.number) {
      guard let descriptor = message.descriptor.field(number: field.number) else { continue }
      descend(field.value, descriptor)
    }
  }

  private mutating func descend(_ value: DynamicValue, _ field: FieldDescriptor) {
    let wasPart = isPart
    defer { isPart = wasPart }
    if field.cardinality != .singular { isPart = false }
    switch value {
    case .message(let message):
      at(.field(field.name)) { $0.message(message) }
    case .list(let elements):
      guard field.kind == .message || field.kind == .group else { return }
      at(.field(field.name)) { check in
        for (index, element) in elements.enumerated() {
          guard let message = element.message else { continue }
          check.at(.index(index)) { $0.message(message) }
        }
      }
    case .map(let entries):
      guard field.mapEntry?.value.kind == .message else { return }
      at(.field(field.name)) { check in
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
          guard let message = value.message else { continue }
          check.at(.key(key.text)) { $0.message(message) }
        }
      }
    default: return
    }
  }

  private mutating func field(
    _ field: FieldDescriptor, _ constraint: FieldConstraint, _ value: DynamicValue?
  ) {
    switch (field.cardinality, constraint.rules) {
    case (.repeated, .repeated(let rules)): list(field, rules, value?.list ?? [])
    case (.map, .map(let rules)): map(field, rules, value?.map ?? [:])
    case (.singular, _):
      if let value {
        element(value, field, constraint)
      } else if field.kind == .message || field.kind == .group {
        // Of a oneof another member may be the one that is set.
        if constraint.isRequired, field.oneofIndex == nil { fail("expected a value, found none") }
      } else if !field.hasPresence, let value = field.defaultElement {
        element(value, field, constraint)
      }
    default: return
    }
  }

  private mutating func list(
    _ field: FieldDescriptor, _ rules: RepeatedRules, _ elements: [DynamicValue]
  ) {
    if rules.ignoresEmpty, elements.isEmpty { return }
    count(elements.count, isPart ? nil : rules.minimum, rules.maximum, of: "element")
    if rules.isUnique {
      var seen: [DynamicValue: Int] = [:]
      for (index, element) in elements.enumerated() {
        if let first = seen[element] {
          at(.index(index)) { $0.fail("expected unique elements, found that of index \(first)") }
        } else {
          seen[element] = index
        }
      }
    }
    for (index, value) in elements.enumerated() {
      at(.index(index)) { $0.element(value, field, rules.items) }
    }
  }

  private mutating func map(
    _ field: FieldDescriptor, _ rules: MapRules, _ entries: [MapKey: DynamicValue]
  ) {
    if rules.ignoresEmpty, entries.isEmpty { return }
    count(entries.count, isPart ? nil : rules.minimum, rules.maximum, of: "entry")
    guard let entry = field.mapEntry else { return }
    for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
      at(.key(key.text)) { check in
        check.element(key.value(of: entry.key), entry.key, rules.keys)
        check.element(value, entry.value, rules.values)
      }
    }
  }

  /// Checks a value that is there.
  private mutating func element(
    _ value: DynamicValue, _ field: FieldDescriptor, _ constraint: FieldConstraint
  ) {
    guard case .message(let message) = value else {
      scalar(value, constraint.rules, enumeration: field.enumeration)
      return
    }
    switch (message.descriptor.wellKnownType, constraint.rules) {
    case (.duration, .duration(let rules)): time(message.secondsAndNanos, rules, \.durationText)
    case (.timestamp, .timestamp(let rules)): time(message.secondsAndNanos, rules, \.timestampText)
    case (.any, .any(let rules)):
      let typeURL = message.anyTypeURL ?? ""
      membership(typeURL, rules.allowed, rules.forbidden) { "\"\($0)\"" }
    case (let type?, _) where type.isWrapper:
      guard let inner = message.descriptor.field(number: 1),
        let value = message[number: 1] ?? inner.defaultElement
      else { return }
      scalar(value, constraint.rules, enumeration: nil)
    default: return
    }
  }

  private mutating func time(
    _ value: SecondsAndNanos, _ rules: TimeRules, _ text: (SecondsAndNanos) -> String
  ) {
    bounds(value, rules.bounds, text)
    guard let now else { return }
    if rules.mustBePast, value >= now { fail("expected a time before now, found \(text(value))") }
    if rules.mustBeFuture, value <= now { fail("expected a time after now, found \(text(value))") }
    if let within = rules.within, !value.isWithin(within, of: now) {
      fail("expected a time within \(within.durationText) of now, found \(text(value))")
    }
  }

  func plural(_ count: UInt64, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun == "entry" ? "entrie" : noun)s"
  }

  mutating func count(_ count: Int, _ minimum: UInt64?, _ maximum: UInt64?, of noun: String) {
    if let minimum, UInt64(count) < minimum {
      fail("expected at least \(plural(minimum, noun)), found \(count)")
    }
    if let maximum, UInt64(count) > maximum {
      fail("expected at most \(plural(maximum, noun)), found \(count)")
    }
  }
}

extension SecondsAndNanos {
  fileprivate func isWithin(_ distance: Self, of other: Self) -> Bool {
    let (earlier, later) = self < other ? (self, other) : (other, self)
    // What is no valid time is far from any.
    guard earlier.isValidTimestamp, later.isValidTimestamp else { return false }
    var difference = Self(
      seconds: later.seconds - earlier.seconds, nanos: later.nanos - earlier.nanos)
    if difference.nanos < 0 {
      difference.seconds -= 1
      difference.nanos += 1_000_000_000
    }
    return difference <= distance
  }
}
