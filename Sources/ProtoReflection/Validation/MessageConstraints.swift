// SPDX-License-Identifier: Apache-2.0

/// What the options of a message type and of its fields ask for.
///
/// The extensions are found by their numbers: `validate.rules` and its siblings are 1071,
/// `validate.ignored` is 1072.
final class MessageConstraints: Sendable {
  /// `disabled` and `ignored`: neither the message nor what is in it is checked.
  let isDisabled: Bool
  /// Fields with rules, in order of their numbers.
  let fields: [(field: FieldDescriptor, constraint: FieldConstraint)]
  let requiredOneofs: [OneofDescriptor]
  /// Fields whose messages are not looked into.
  let skippedFields: Set<Int32>

  init(_ descriptor: MessageDescriptor) {
    let pool = descriptor.pool
    let rulesType = pool.message(named: "validate.FieldRules")
    isDisabled =
      Self.flag(1071, descriptor.options, pool) || Self.flag(1072, descriptor.options, pool)
    requiredOneofs = descriptor.oneofs.filter { Self.flag(1071, $0.options, pool) }
    fields = descriptor.fields.compactMap { field in
      guard let rulesType, let range = Self.extensionRange(1071, field.options, pool),
        let rules = try? DynamicMessage(parsing: Array(pool.bytes[range]), as: rulesType)
      else { return nil }
      return (field, FieldConstraint(rules))
    }
    skippedFields = Set(fields.filter(\.constraint.skips).map(\.field.number))
  }

  private static func extensionRange(
    _ number: Int32, _ options: Range<Int>?, _ pool: DescriptorPool
  ) -> Range<Int>? {
    guard let options else { return nil }
    var reader = WireReader(pool.bytes, options)
    var range: Range<Int>?
    while let tag = try? reader.nextTag() {
      if tag.number == number, tag.type == .lengthDelimited {
        range = try? reader.lengthDelimited()
      } else {
        try? reader.skip(tag)
      }
    }
    return range
  }

  private static func flag(
    _ number: Int32, _ options: Range<Int>?, _ pool: DescriptorPool
  ) -> Bool {
    guard let options else { return false }
    var reader = WireReader(pool.bytes, options)
    var flag = false
    while let tag = try? reader.nextTag() {
      if tag.number == number, tag.type == .varint {
        flag = (try? reader.varint()) == 1
      } else {
        try? reader.skip(tag)
      }
    }
    return flag
  }
}
