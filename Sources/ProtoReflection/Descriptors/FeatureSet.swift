// SPDX-License-Identifier: Apache-2.0

/// What a file's syntax or edition says about its fields, after inheritance.
///
/// https://protobuf.dev/editions/features/
struct FeatureSet: Hashable, Sendable {
  var implicitPresence: Bool
  var closedEnums: Bool
  var packedLists: Bool
  var delimitedMessages = false

  static let proto2 = Self(implicitPresence: false, closedEnums: true, packedLists: false)
  static let proto3 = Self(implicitPresence: true, closedEnums: false, packedLists: true)
  static let edition2023 = Self(implicitPresence: false, closedEnums: false, packedLists: true)

  /// Applies a serialised `google.protobuf.FeatureSet` over what was inherited.
  mutating func apply(_ bytes: [UInt8], _ range: Range<Int>) throws(ReflectionError) {
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (1, .varint): implicitPresence = try reader.varint() == 2
      case (2, .varint): closedEnums = try reader.varint() == 2
      case (3, .varint): packedLists = try reader.varint() == 1
      case (5, .varint): delimitedMessages = try reader.varint() == 2
      default: try reader.skip(tag)
      }
    }
  }

  /// Applies the features inside an options message, where they have the field number `number`.
  mutating func apply(
    optionsIn bytes: [UInt8], _ range: Range<Int>, featuresNumber number: Int32
  ) throws(ReflectionError) {
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      if tag.number == number, tag.type == .lengthDelimited {
        try apply(bytes, try reader.lengthDelimited())
      } else {
        try reader.skip(tag)
      }
    }
  }
}
