// SPDX-License-Identifier: Apache-2.0

/// The parts of a serialised `google.protobuf.FieldDescriptorProto` that reflection needs.
struct FieldProto {
  var name = ""
  var extendee: String?
  var number: Int32 = 0
  var isRepeated = false
  var kind = FieldDescriptor.Kind.int32
  /// Without the leading dot.
  var typeName: String?
  var options: Range<Int>?
  var oneofIndex: Int?
  var jsonName: String?
  /// `optional` in proto3: presence by a oneof that only exists on paper.
  var isOptional = false
  var isPacked: Bool?
  var isDeprecated = false
  var isSensitive = false

  /// The extension `udpa.annotations.sensitive` of FieldOptions.
  private static let sensitiveOption: Int32 = 76_569_463

  init(_ bytes: [UInt8], _ range: Range<Int>) throws(ReflectionError) {
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (1, .lengthDelimited): name = try reader.string()
      case (2, .lengthDelimited): extendee = String(try reader.string().drop { $0 == "." })
      case (3, .varint): number = Int32(truncatingIfNeeded: try reader.varint())
      case (4, .varint): isRepeated = try reader.varint() == 3
      case (5, .varint):
        let raw = try reader.varint()
        guard let kind = UInt8(exactly: raw).flatMap(FieldDescriptor.Kind.init(rawValue:)) else {
          throw ReflectionError("expected a field type of 1 to 18, found \(raw)")
        }
        self.kind = kind
      case (6, .lengthDelimited): typeName = String(try reader.string().drop { $0 == "." })
      case (8, .lengthDelimited): options = try reader.lengthDelimited()
      case (9, .varint): oneofIndex = Int(truncatingIfNeeded: try reader.varint())
      case (10, .lengthDelimited): jsonName = try reader.string()
      case (17, .varint): isOptional = try reader.varint() != 0
      default: try reader.skip(tag)
      }
    }
    if let options { try decodeOptions(bytes, options) }
  }

  private mutating func decodeOptions(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(ReflectionError) {
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (2, .varint): isPacked = try reader.varint() != 0
      case (3, .varint): isDeprecated = try reader.varint() != 0
      case (Self.sensitiveOption, .varint): isSensitive = try reader.varint() != 0
      default: try reader.skip(tag)
      }
    }
  }
}
