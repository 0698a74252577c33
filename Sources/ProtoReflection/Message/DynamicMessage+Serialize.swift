// SPDX-License-Identifier: Apache-2.0

/// Writing the wire, deterministically.
extension DynamicMessage {
  /// The message on the wire, always the same bytes for equal messages.
  ///
  /// Fields come in order of their numbers, entries of maps in order of their keys, unknown fields
  /// last. It is protobuf's deterministic serialisation.
  package func serialized() -> [UInt8] {
    var writer = WireWriter()
    writer.write(self)
    return writer.bytes
  }
}

extension WireWriter {
  mutating func write(_ message: DynamicMessage) {
    for field in message.fields {
      guard let descriptor = message.descriptor.field(number: field.number) else { continue }
      write(field.value, of: descriptor)
    }
    raw(message.unknownFields)
  }

  mutating func write(_ value: DynamicValue, of field: FieldDescriptor) {
    switch value {
    case .list(let elements) where field.isPacked:
      guard !elements.isEmpty else { return }
      tag(field.number, .lengthDelimited)
      lengthDelimited { writer in
        for element in elements { writer.writeElement(element, of: field.kind) }
      }
    case .list(let elements):
      for element in elements { writeTagged(element, of: field) }
    case .map(let entries):
      guard let entry = field.mapEntry else { return }
      for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
        tag(field.number, .lengthDelimited)
        // An entry has both fields always, defaults included.
        lengthDelimited { writer in
          writer.writeTagged(key.value(of: entry.key), of: entry.key)
          writer.writeTagged(value, of: entry.value)
        }
      }
    default: writeTagged(value, of: field)
    }
  }

  private mutating func writeTagged(_ value: DynamicValue, of field: FieldDescriptor) {
    tag(field.number, field.kind.wireType)
    if field.kind == .group, case .message(let message) = value {
      write(message)
      tag(field.number, .endGroup)
    } else {
      writeElement(value, of: field.kind)
    }
  }

  private mutating func writeElement(_ value: DynamicValue, of kind: FieldDescriptor.Kind) {
    switch value {
    case .double(let value): fixed64(value.bitPattern)
    case .float(let value): fixed32(value.bitPattern)
    case .int32(let value):
      switch kind {
      case .sint32: varint(UInt64(UInt32(bitPattern: value << 1 ^ value >> 31)))
      case .sfixed32: fixed32(UInt32(bitPattern: value))
      // Negative numbers take ten bytes: they are sign-extended.
      default: varint(UInt64(bitPattern: Int64(value)))
      }
    case .int64(let value):
      switch kind {
      case .sint64: varint(UInt64(bitPattern: value << 1 ^ value >> 63))
      case .sfixed64: fixed64(UInt64(bitPattern: value))
      default: varint(UInt64(bitPattern: value))
      }
    case .uint32(let value): if kind == .fixed32 { fixed32(value) } else { varint(UInt64(value)) }
    case .uint64(let value): if kind == .fixed64 { fixed64(value) } else { varint(value) }
    case .enumeration(let value): varint(UInt64(bitPattern: Int64(value)))
    case .bool(let value): varint(value ? 1 : 0)
    case .string(let value):
      varint(UInt64(value.utf8.count))
      raw(value.utf8)
    case .bytes(let value):
      varint(UInt64(value.count))
      raw(value)
    case .message(let message): lengthDelimited { $0.write(message) }
    case .list, .map: preconditionFailure("lists and maps do not nest")
    }
  }
}
