// SPDX-License-Identifier: Apache-2.0

/// Decoding an enum descriptor, when somebody asks for it.
extension EnumDescriptor {
  /// Decodes a serialised `google.protobuf.EnumDescriptorProto`.
  ///
  /// - Throws: `ReflectionError` when the descriptor is malformed.
  convenience init(
    _ entry: DescriptorIndex.Entry, bytes: [UInt8], features: FeatureSet
  ) throws(ReflectionError) {
    var features = features
    var values: [Value] = []
    var reader = WireReader(bytes, entry.range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (2, .lengthDelimited):
        values.append(try Self.value(bytes, try reader.lengthDelimited()))
      case (3, .lengthDelimited):
        try features.apply(optionsIn: bytes, try reader.lengthDelimited(), featuresNumber: 7)
      default: try reader.skip(tag)
      }
    }
    self.init(fullName: entry.fullName, values: values, isClosed: features.closedEnums)
  }

  private static func value(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(ReflectionError) -> Value {
    var name = ""
    var number: Int32 = 0
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (1, .lengthDelimited): name = try reader.string()
      case (2, .varint): number = Int32(truncatingIfNeeded: try reader.varint())
      default: try reader.skip(tag)
      }
    }
    return Value(name: name, number: number)
  }
}
