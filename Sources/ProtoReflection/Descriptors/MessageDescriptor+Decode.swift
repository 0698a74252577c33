// SPDX-License-Identifier: Apache-2.0

/// Decoding a message descriptor, when somebody asks for it.
extension MessageDescriptor {
  /// Decodes a serialised `google.protobuf.DescriptorProto`.
  ///
  /// - Throws: `ReflectionError` when the descriptor is malformed.
  convenience init(
    _ entry: DescriptorIndex.Entry, index: Int, features: FeatureSet, pool: DescriptorPool
  ) throws(ReflectionError) {
    let bytes = pool.bytes
    var protos: [FieldProto] = []
    var mapEntries: Set<String> = []
    var oneofProtos: [(name: String, options: Range<Int>?)] = []
    var isExtendable = false
    var options: Range<Int>?
    var reader = WireReader(bytes, entry.range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (2, .lengthDelimited):
        protos.append(try FieldProto(bytes, try reader.lengthDelimited()))
      case (3, .lengthDelimited):
        if let name = try Self.mapEntryName(bytes, try reader.lengthDelimited()) {
          mapEntries.insert("\(entry.fullName).\(name)")
        }
      case (5, .lengthDelimited):
        isExtendable = true
        try reader.skip(tag)
      case (7, .lengthDelimited): options = try reader.lengthDelimited()
      case (8, .lengthDelimited):
        oneofProtos.append(try Self.oneof(bytes, try reader.lengthDelimited()))
      default: try reader.skip(tag)
      }
    }
    // A oneof of one `optional` field is synthetic: it comes after the real ones.
    let synthetic = Set(protos.filter(\.isOptional).compactMap(\.oneofIndex))
    var fields: [FieldDescriptor] = []
    fields.reserveCapacity(protos.count)
    for proto in protos {
      var fieldFeatures = features
      if let options = proto.options {
        try fieldFeatures.apply(optionsIn: bytes, options, featuresNumber: 21)
      }
      let isMap = proto.isRepeated && mapEntries.contains(proto.typeName ?? "")
      let oneofIndex = proto.oneofIndex.flatMap { synthetic.contains($0) ? nil : $0 }
      if let oneofIndex, !oneofProtos.indices.contains(oneofIndex) {
        throw ReflectionError("expected a oneof of \(entry.fullName), found index \(oneofIndex)")
      }
      fields.append(
        FieldDescriptor(
          proto, name: proto.name,
          cardinality: isMap ? .map : proto.isRepeated ? .repeated : .singular,
          oneofIndex: oneofIndex, features: fieldFeatures, pool: pool))
    }
    let oneofs = oneofProtos.enumerated().map { index, proto in
      OneofDescriptor(
        name: proto.name,
        fieldNumbers: fields.filter { $0.oneofIndex == index }.map(\.number),
        options: proto.options)
    }
    self.init(
      fullName: entry.fullName, fields: fields, oneofs: oneofs, isExtendable: isExtendable,
      options: options, index: index, pool: pool)
  }

  private static func oneof(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(ReflectionError) -> (name: String, options: Range<Int>?) {
    var result: (name: String, options: Range<Int>?) = ("", nil)
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (1, .lengthDelimited): result.name = try reader.string()
      case (2, .lengthDelimited): result.options = try reader.lengthDelimited()
      default: try reader.skip(tag)
      }
    }
    return result
  }

  /// The name of a nested type if its options say that it is a map's entry.
  private static func mapEntryName(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(ReflectionError) -> String? {
    var name = ""
    var isMapEntry = false
    var reader = WireReader(bytes, range)
    while let tag = try reader.nextTag() {
      switch (tag.number, tag.type) {
      case (1, .lengthDelimited): name = try reader.string()
      case (7, .lengthDelimited):
        var options = WireReader(bytes, try reader.lengthDelimited())
        while let option = try options.nextTag() {
          if option.number == 7, option.type == .varint {
            isMapEntry = try options.varint() != 0
          } else {
            try options.skip(option)
          }
        }
      default: try reader.skip(tag)
      }
    }
    return isMapEntry ? name : nil
  }
}
