// SPDX-License-Identifier: Apache-2.0

/// One field of a message type, or an extension of one.
package final class FieldDescriptor: Sendable {
  /// The type as `FieldDescriptorProto.Type` numbers it.
  package enum Kind: UInt8, Sendable {
    case double = 1
    case float, int64, uint64, int32, fixed64, fixed32, bool, string, group, message, bytes
    case uint32, `enum`, sfixed32, sfixed64, sint32, sint64
  }

  package enum Cardinality: Sendable {
    case singular, repeated, map
  }

  /// The name in the `.proto` file; of an extension the full name in brackets, as JSON has it.
  package let name: String
  /// The lowerCamelCase name of the JSON mapping.
  package let jsonName: String
  package let number: Int32
  package let kind: Kind
  package let cardinality: Cardinality
  /// The full name of the message or enum type; nil for scalars.
  package let typeName: String?
  /// The position in `MessageDescriptor.oneofs`; nil outside a oneof and for `optional`.
  package let oneofIndex: Int?
  /// Whether unset differs from the default value.
  package let hasPresence: Bool
  package let isDeprecated: Bool
  /// Whether nobody should see its content (`udpa.annotations.sensitive`).
  package let isSensitive: Bool
  /// Whether serialisation packs the list's elements into one value.
  let isPacked: Bool
  /// The serialised `FieldOptions`, for the options that the pool does not know.
  let options: Range<Int>?
  let pool: DescriptorPool
  private let typeIndex: Int?

  init(
    _ proto: FieldProto, name: String, cardinality: Cardinality, oneofIndex: Int?,
    features: FeatureSet, pool: DescriptorPool
  ) {
    self.name = name
    jsonName = proto.jsonName ?? Self.lowerCamelCase(name)
    number = proto.number
    self.cardinality = cardinality
    typeName = proto.typeName
    self.oneofIndex = oneofIndex
    isDeprecated = proto.isDeprecated
    isSensitive = proto.isSensitive
    options = proto.options
    self.pool = pool
    kind = proto.kind == .message && features.delimitedMessages ? .group : proto.kind
    let isMessage = kind == .message || kind == .group
    hasPresence =
      cardinality == .singular
      && (isMessage || proto.isOptional || proto.oneofIndex != nil || !features.implicitPresence)
    isPacked =
      cardinality == .repeated && kind.isPackable && (proto.isPacked ?? features.packedLists)
    typeIndex = proto.typeName.flatMap { name in
      isMessage ? pool.messageIndex(named: name) : pool.enumIndex(named: name)
    }
  }

  package var isRepeated: Bool { cardinality == .repeated }
  package var isMap: Bool { cardinality == .map }

  /// Whether Envoy refuses the field unless it is told otherwise at start
  /// (`envoy.annotations.disallowed_by_default`).
  package var isDisallowed: Bool {
    guard let options else { return false }
    var reader = WireReader(pool.bytes, options)
    var isDisallowed = false
    while let tag = try? reader.nextTag() {
      if tag.number == 189_503_207, tag.type == .varint {
        isDisallowed = (try? reader.varint()) == 1
      } else {
        try? reader.skip(tag)
      }
    }
    return isDisallowed
  }

  /// The type of a message field, or nil for other kinds and for types the pool lacks.
  package var message: MessageDescriptor? {
    guard kind == .message || kind == .group, let typeIndex else { return nil }
    return pool.message(at: typeIndex)
  }

  /// The type of an enum field, or nil for other kinds and for types the pool lacks.
  package var enumeration: EnumDescriptor? {
    guard kind == .enum, let typeIndex else { return nil }
    return pool.enumeration(at: typeIndex)
  }

  /// The key and value fields of a map's entries; nil for other fields.
  package var mapEntry: (key: FieldDescriptor, value: FieldDescriptor)? {
    guard isMap, let entry = message, let key = entry.field(number: 1),
      let value = entry.field(number: 2)
    else { return nil }
    return (key, value)
  }

  /// `max_request_headers` becomes `maxRequestHeaders`, as protoc does it.
  static func lowerCamelCase(_ name: String) -> String {
    var result = ""
    var upperNext = false
    for character in name {
      if character == "_" {
        upperNext = true
      } else {
        result += upperNext ? character.uppercased() : String(character)
        upperNext = false
      }
    }
    return result
  }
}

extension FieldDescriptor.Kind {
  /// Whether a list of it may be packed: all but strings, bytes and messages.
  var isPackable: Bool {
    switch self {
    case .string, .bytes, .message, .group: false
    default: true
    }
  }

  /// How a single value of it is laid out.
  var wireType: WireType {
    switch self {
    case .double, .fixed64, .sfixed64: .fixed64
    case .float, .fixed32, .sfixed32: .fixed32
    case .string, .bytes, .message: .lengthDelimited
    case .group: .startGroup
    case .int64, .uint64, .int32, .bool, .uint32, .enum, .sint32, .sint64: .varint
    }
  }
}
