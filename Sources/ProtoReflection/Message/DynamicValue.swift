// SPDX-License-Identifier: Apache-2.0

/// The value of a field.
///
/// The case follows the field's Swift type, not its layout: `sint32`, `sfixed32` and `int32` are
/// all `int32`.
package enum DynamicValue: Hashable, Sendable {
  case double(Double)
  case float(Float)
  case int32(Int32)
  case int64(Int64)
  case uint32(UInt32)
  case uint64(UInt64)
  case bool(Bool)
  case string(String)
  case bytes([UInt8])
  /// An enum's number, which need not have a name.
  case enumeration(Int32)
  case message(DynamicMessage)
  case list([DynamicValue])
  case map([MapKey: DynamicValue])

  /// Whether an unset field without presence has this value.
  package var isDefault: Bool {
    switch self {
    // -0 has a bit set, so protobuf writes it.
    case .double(let value): value.bitPattern == 0
    case .float(let value): value.bitPattern == 0
    case .int32(let value), .enumeration(let value): value == 0
    case .int64(let value): value == 0
    case .uint32(let value): value == 0
    case .uint64(let value): value == 0
    case .bool(let value): !value
    case .string(let value): value.isEmpty
    case .bytes(let value): value.isEmpty
    case .message: false
    case .list(let values): values.isEmpty
    case .map(let entries): entries.isEmpty
    }
  }

  package var string: String? { if case .string(let value) = self { value } else { nil } }
  package var message: DynamicMessage? { if case .message(let value) = self { value } else { nil } }
  package var list: [DynamicValue]? { if case .list(let value) = self { value } else { nil } }
  package var map: [MapKey: DynamicValue]? { if case .map(let value) = self { value } else { nil } }
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  package var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }

  /// The value of any integer or enum field that fits.
  package var int: Int? {
    switch self {
    case .int32(let value), .enumeration(let value): Int(value)
    case .int64(let value): Int(exactly: value)
    case .uint32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    default: nil
    }
  }
}

extension FieldDescriptor {
  /// What a single value of the field is when it is unset; nil for messages of unknown type.
  package var defaultElement: DynamicValue? {
    switch kind {
    case .double: .double(0)
    case .float: .float(0)
    case .int32, .sint32, .sfixed32: .int32(0)
    case .int64, .sint64, .sfixed64: .int64(0)
    case .uint32, .fixed32: .uint32(0)
    case .uint64, .fixed64: .uint64(0)
    case .bool: .bool(false)
    case .string: .string("")
    case .bytes: .bytes([])
    case .enum: .enumeration(enumeration?.defaultNumber ?? 0)
    case .message, .group: message.map { .message(DynamicMessage($0)) }
    }
  }

  /// Whether a value has the shape that the field holds.
  package func accepts(_ value: DynamicValue) -> Bool {
    switch (cardinality, value) {
    case (.repeated, .list(let elements)): elements.allSatisfy(acceptsElement)
    case (.map, .map(let entries)):
      mapEntry.map { entry in entries.values.allSatisfy(entry.value.acceptsElement) } ?? false
    case (.singular, _): acceptsElement(value)
    default: false
    }
  }

  private func acceptsElement(_ value: DynamicValue) -> Bool {
    switch (kind, value) {
    case (.double, .double), (.float, .float), (.bool, .bool), (.string, .string),
      (.bytes, .bytes), (.enum, .enumeration),
      (.int32, .int32), (.sint32, .int32), (.sfixed32, .int32),
      (.int64, .int64), (.sint64, .int64), (.sfixed64, .int64),
      (.uint32, .uint32), (.fixed32, .uint32), (.uint64, .uint64), (.fixed64, .uint64):
      true
    case (.message, .message(let message)), (.group, .message(let message)):
      message.descriptor.fullName == typeName
    // The unpacked content of an Any.
    case (.bytes, .message): true
    default: false
    }
  }
}
