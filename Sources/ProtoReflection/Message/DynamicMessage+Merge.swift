// SPDX-License-Identifier: Apache-2.0

/// Merging two messages of a type, as protobuf and Istio define it.
extension DynamicMessage {
  /// Merges another message of the same type into this one.
  ///
  /// As protobuf merges: scalars that the other has set overwrite, messages merge field by field,
  /// lists append, maps take over entries key by key, and a member of a oneof displaces the other
  /// members. What the other has not set, which without presence includes zeroes, changes nothing.
  ///
  /// What the JSON of the other sets to nothing, as `explicit` tells, is cleared.
  ///
  /// - Throws: `ReflectionError` when the types differ, which `Any` contents may with
  ///   `anyMessages: .unpacked`. The message then holds a part of the merge.
  package mutating func merge(
    from other: DynamicMessage, options: MergeOptions = .protobuf,
    explicit: ExplicitFields = ExplicitFields()
  ) throws(ReflectionError) {
    guard descriptor.fullName == other.descriptor.fullName else {
      throw ReflectionError(
        "expected a \(descriptor.fullName) to merge, found a \(other.descriptor.fullName)")
    }
    if options.anyMessages == .unpacked, descriptor.wellKnownType == .any {
      try mergeAnyContent(from: other, options: options, explicit: explicit)
      return
    }
    for field in other.fields {
      guard let fieldDescriptor = descriptor.field(number: field.number) else { continue }
      do throws(ReflectionError) {
        try merge(
          field.value, of: fieldDescriptor, options: options,
          explicit: explicit.below(fieldDescriptor))
      } catch {
        throw ReflectionError(at: [.field(fieldDescriptor.name)] + error.path, error.reason)
      }
    }
    unknownFields += other.unknownFields
    for number in explicit.cleared { clear(number) }
    for (number, keys) in explicit.removedKeys {
      guard let field = descriptor.field(number: number),
        case .map(let entries)? = self[number: number]
      else { continue }
      store(.map(entries.filter { !keys.contains($0.key) }), for: field)
    }
    if descriptor.wellKnownType == .any { normalizeAny(depth: 0) }
  }

  /// Merges the content of one `Any` into that of another of the same type.
  ///
  /// It is what Istio does with the `typed_config` of a filter. An `Any` without a type takes the
  /// other's whole; contents that cannot be unpacked are replaced, as they have no fields to merge.
  ///
  /// - Throws: `ReflectionError` at `@type` when both have a type and the types differ.
  package mutating func mergeAnyContent(
    from other: DynamicMessage, options: MergeOptions = .protobuf,
    explicit: ExplicitFields = ExplicitFields()
  ) throws(ReflectionError) {
    guard let ours = anyTypeURL, let theirs = other.anyTypeURL else {
      throw ReflectionError("expected a google.protobuf.Any, found a \(descriptor.fullName)")
    }
    guard !theirs.isEmpty else { return }
    guard !ours.isEmpty else {
      self = other
      return
    }
    guard Self.messageName(ours) == Self.messageName(theirs) else {
      throw ReflectionError(
        at: [.field("@type")], "expected the type \"\(ours)\" to merge, found \"\(theirs)\"")
    }
    guard var content = anyContent, let otherContent = other.anyContent else {
      if !other.isEmpty { self = other }
      return
    }
    try content.merge(from: otherContent, options: options, explicit: explicit)
    setAnyContent(content)
  }

  private mutating func merge(
    _ value: DynamicValue, of field: FieldDescriptor, options: MergeOptions,
    explicit: ExplicitFields
  ) throws(ReflectionError) {
    switch value {
    case .list(let elements):
      if options.lists == .append, case .list(let old)? = take(field.number) {
        store(.list(old + elements), for: field)
      } else {
        store(value, for: field)
      }
    case .map(let entries):
      if case .map(let old)? = take(field.number) {
        store(.map(old.merging(entries) { _, new in new }), for: field)
      } else {
        store(value, for: field)
      }
    case .message(let message) where field.kind == .message || field.kind == .group:
      if options.replaces(message.descriptor.wellKnownType) {
        store(value, for: field)
      } else if case .message(var old)? = take(field.number) {
        defer { store(.message(old), for: field) }
        try old.merge(from: message, options: options, explicit: explicit)
      } else {
        store(value, for: field)
      }
    default: store(value, for: field)
    }
  }

  private static func messageName(_ typeURL: String) -> Substring {
    typeURL.lastIndex(of: "/").map { typeURL[typeURL.index(after: $0)...] } ?? typeURL[...]
  }
}

extension MergeOptions {
  /// Whether a value of the type is one value and not fields to merge.
  fileprivate func replaces(_ type: WellKnownType?) -> Bool {
    guard let type else { return false }
    return switch type {
    case .duration: durations == .replace || wrappers == .replace
    case .any: wrappers == .replace && anyMessages == .fieldwise
    case .timestamp, .fieldMask: wrappers == .replace
    case .structure, .value, .listValue: false
    default: wrappers == .replace
    }
  }
}
