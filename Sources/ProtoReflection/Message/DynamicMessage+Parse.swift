// SPDX-License-Identifier: Apache-2.0

/// Reading the wire: what is unknown is kept, and a value that comes twice is merged.
extension DynamicMessage {
  /// How deep messages may nest on the wire and in JSON, as in other implementations.
  static let maximumDepth = 100

  /// Parses a serialised message.
  ///
  /// - Throws: `ReflectionError` when the bytes are malformed or nest deeper than 100.
  package init(parsing bytes: [UInt8], as descriptor: MessageDescriptor) throws(ReflectionError) {
    self.init(descriptor)
    try merge(parsing: bytes)
  }

  /// Parses a serialised message into this one, as if it came after what is there.
  ///
  /// - Throws: `ReflectionError` when the bytes are malformed; the message then holds a part.
  package mutating func merge(parsing bytes: [UInt8]) throws(ReflectionError) {
    var reader = WireReader(bytes)
    try merge(&reader, depth: 0)
  }

  mutating func merge(_ reader: inout WireReader, depth: Int) throws(ReflectionError) {
    guard depth < Self.maximumDepth else {
      throw ReflectionError("expected at most \(Self.maximumDepth) levels of nesting, found more")
    }
    while true {
      let start = reader.position
      guard let tag = try reader.nextTag() else { break }
      let isKnown: Bool
      if let field = descriptor.field(number: tag.number) {
        do throws(ReflectionError) {
          isKnown = try merge(field, tag.type, &reader, depth: depth)
        } catch {
          throw ReflectionError(at: [.field(field.name)] + error.path, error.reason)
        }
      } else {
        isKnown = false
      }
      if !isKnown {
        try reader.skip(tag)
        unknownFields.append(contentsOf: reader.bytes[start..<reader.position])
      }
    }
    if descriptor.wellKnownType == .any { normalizeAny(depth: depth) }
  }

  /// Reads one value of a field; false when its layout is not one the field can have.
  private mutating func merge(
    _ field: FieldDescriptor, _ type: WireType, _ reader: inout WireReader, depth: Int
  ) throws(ReflectionError) -> Bool {
    switch field.cardinality {
    case .singular:
      if type == field.kind.wireType, field.kind == .message || field.kind == .group {
        guard let messageType = field.message else { return false }
        var message: DynamicMessage
        if case .message(let old)? = take(field.number) {
          message = old
        } else {
          message = DynamicMessage(messageType)
        }
        var inner = try Self.contents(of: field, &reader)
        // A member of a oneof that replaces another must not be seen half done.
        defer { store(.message(message), for: field) }
        try message.merge(&inner, depth: depth + 1)
        return true
      }
      guard type == field.kind.wireType else { return false }
      let value = try Self.element(of: field, &reader, depth: depth)
      guard let value else { return false }
      guard Self.isOpen(value, field) else { return keepUnknown(value, field) }
      store(value, for: field)
      return true
    case .repeated:
      if type == .lengthDelimited, field.kind.isPackable {
        var packed = WireReader(reader.bytes, try reader.lengthDelimited())
        var elements: [DynamicValue] = []
        while !packed.isAtEnd {
          guard let value = try Self.element(of: field, &packed, depth: depth) else { break }
          if Self.isOpen(value, field) {
            elements.append(value)
          } else {
            _ = keepUnknown(value, field)
          }
        }
        append(contentsOf: elements, to: field)
        return true
      }
      guard type == field.kind.wireType,
        let value = try Self.element(of: field, &reader, depth: depth)
      else { return false }
      guard Self.isOpen(value, field) else { return keepUnknown(value, field) }
      append(value, to: field)
      return true
    case .map:
      guard type == .lengthDelimited, let entry = field.mapEntry else { return false }
      var inner = WireReader(reader.bytes, try reader.lengthDelimited())
      try mergeMapEntry(&inner, entry, in: field, depth: depth)
      return true
    }
  }

  private mutating func append(contentsOf elements: [DynamicValue], to field: FieldDescriptor) {
    guard !elements.isEmpty else { return }
    if self[number: field.number] == nil {
      store(.list(elements), for: field)
    } else {
      for element in elements { append(element, to: field) }
    }
  }

  private mutating func mergeMapEntry(
    _ reader: inout WireReader, _ entry: (key: FieldDescriptor, value: FieldDescriptor),
    in field: FieldDescriptor, depth: Int
  ) throws(ReflectionError) {
    var key: DynamicValue?
    var value: DynamicValue?
    while let tag = try reader.nextTag() {
      if tag.number == 1, tag.type == entry.key.kind.wireType {
        key = try Self.element(of: entry.key, &reader, depth: depth + 1)
      } else if tag.number == 2, tag.type == entry.value.kind.wireType {
        // A message that comes twice in one entry is merged, as anywhere else.
        value = try Self.element(of: entry.value, &reader, into: value, depth: depth + 1)
      } else {
        try reader.skip(tag)
      }
    }
    guard let key = key ?? entry.key.defaultElement, let mapKey = MapKey(key),
      let value = value ?? entry.value.defaultElement
    else { return }
    insert(value, forKey: mapKey, in: field)
  }

  /// Reads a value whose layout is that of the field; nil for messages of unknown type.
  private static func element(
    of field: FieldDescriptor, _ reader: inout WireReader, into old: DynamicValue? = nil,
    depth: Int
  ) throws(ReflectionError) -> DynamicValue? {
    switch field.kind {
    case .double: return .double(Double(bitPattern: try reader.fixed64()))
    case .float: return .float(Float(bitPattern: try reader.fixed32()))
    case .int64: return .int64(Int64(bitPattern: try reader.varint()))
    case .uint64: return .uint64(try reader.varint())
    case .int32: return .int32(Int32(truncatingIfNeeded: try reader.varint()))
    case .uint32: return .uint32(UInt32(truncatingIfNeeded: try reader.varint()))
    case .fixed64: return .uint64(try reader.fixed64())
    case .fixed32: return .uint32(try reader.fixed32())
    case .sfixed32: return .int32(Int32(bitPattern: try reader.fixed32()))
    case .sfixed64: return .int64(Int64(bitPattern: try reader.fixed64()))
    case .bool: return .bool(try reader.varint() != 0)
    case .enum: return .enumeration(Int32(truncatingIfNeeded: try reader.varint()))
    case .sint32:
      let raw = UInt32(truncatingIfNeeded: try reader.varint())
      return .int32(Int32(bitPattern: raw >> 1) ^ -Int32(bitPattern: raw & 1))
    case .sint64:
      let raw = try reader.varint()
      return .int64(Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1))
    case .string: return .string(try reader.string())
    case .bytes: return .bytes(Array(reader.bytes[try reader.lengthDelimited()]))
    case .message, .group:
      guard let type = field.message else { return nil }
      var message = old?.message ?? DynamicMessage(type)
      var inner = try contents(of: field, &reader)
      try message.merge(&inner, depth: depth + 1)
      return .message(message)
    }
  }

  private static func contents(
    of field: FieldDescriptor, _ reader: inout WireReader
  ) throws(ReflectionError) -> WireReader {
    let range =
      field.kind == .group ? try reader.group(field.number) : try reader.lengthDelimited()
    return WireReader(reader.bytes, range)
  }

  /// Whether the field may hold the value: a closed enum holds only numbers with names.
  private static func isOpen(_ value: DynamicValue, _ field: FieldDescriptor) -> Bool {
    guard case .enumeration(let number) = value, let type = field.enumeration, type.isClosed
    else { return true }
    return type.name(of: number) != nil
  }

  /// Keeps a closed enum's unnamed number among the unknown fields, as proto2 asks for.
  private mutating func keepUnknown(_ value: DynamicValue, _ field: FieldDescriptor) -> Bool {
    var writer = WireWriter()
    writer.write(value, of: field)
    unknownFields.append(contentsOf: writer.bytes)
    return true
  }
}

extension MapKey {
  /// The key as the value of an entry's key field; nil for kinds that no key can have.
  init?(_ value: DynamicValue) {
    switch value {
    case .bool(let value): self = .bool(value)
    case .string(let value): self = .string(value)
    case .int32(let value): self = .integer(Int64(value))
    case .int64(let value): self = .integer(value)
    case .uint32(let value): self = .unsigned(UInt64(value))
    case .uint64(let value): self = .unsigned(value)
    default: return nil
    }
  }

  /// The key as a value of its field.
  func value(of field: FieldDescriptor) -> DynamicValue {
    switch (self, field.kind) {
    case (.bool(let value), _): .bool(value)
    case (.string(let value), _): .string(value)
    case (.integer(let value), .int32), (.integer(let value), .sint32),
      (.integer(let value), .sfixed32):
      .int32(Int32(truncatingIfNeeded: value))
    case (.integer(let value), _): .int64(value)
    case (.unsigned(let value), .uint32), (.unsigned(let value), .fixed32):
      .uint32(UInt32(truncatingIfNeeded: value))
    case (.unsigned(let value), _): .uint64(value)
    }
  }
}
