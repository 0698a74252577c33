// SPDX-License-Identifier: Apache-2.0

package import JSON

/// How a message is written as JSON.
package struct JSONEncodingOptions: Hashable, Sendable {
  package enum FieldNames: Hashable, Sendable {
    /// As in the `.proto` file, which is what Envoy's config dump has.
    case proto
    case lowerCamelCase
  }

  package var fieldNames: FieldNames
  /// Whether text and bytes in sensitive fields are written as `[redacted]`, as Envoy's config dump
  /// does; what else stands there is left out.
  package var redactsSensitive: Bool

  package init(fieldNames: FieldNames = .proto, redactsSensitive: Bool = false) {
    self.fieldNames = fieldNames
    self.redactsSensitive = redactsSensitive
  }
}

extension DynamicMessage {
  /// The message in the proto3 JSON mapping.
  ///
  /// Fields come in order of their numbers, entries of maps in order of their keys; unset fields
  /// and defaults without presence are left out. An `Any` of a known type is expanded, another is
  /// written as base64 under `value`. Unknown fields have no JSON form and are left out.
  package func json(_ options: JSONEncodingOptions = JSONEncodingOptions()) -> JSONValue {
    JSONMessageEncoder(options: options).message(self)
  }
}

struct JSONMessageEncoder {
  let options: JSONEncodingOptions
  /// Whether everything is inside of a sensitive field.
  private let isRedacting: Bool

  /// What stands for text, and as bytes for bytes.
  private static let placeholder = "[redacted]"

  init(options: JSONEncodingOptions, isRedacting: Bool = false) {
    self.options = options
    self.isRedacting = isRedacting
  }

  func message(_ message: DynamicMessage) -> JSONValue {
    if let type = message.descriptor.wellKnownType, let json = wellKnown(type, message) {
      return json
    }
    var object = JSONObject()
    write(message, into: &object)
    return .object(object)
  }

  private func write(_ message: DynamicMessage, into object: inout JSONObject) {
    object.reserveCapacity(object.count + message.fields.count)
    for field in message.fields {
      guard let descriptor = message.descriptor.field(number: field.number) else { continue }
      let name = options.fieldNames == .proto ? descriptor.name : descriptor.jsonName
      if isRedacting, !descriptor.isRedactable { continue }
      object[name] = value(field.value, of: descriptor)
    }
  }

  private func value(_ value: DynamicValue, of field: FieldDescriptor) -> JSONValue {
    if options.redactsSensitive, field.isSensitive, !isRedacting {
      return Self(options: options, isRedacting: true).value(value, of: field)
    }
    switch value {
    case .string where isRedacting: return .string(Self.placeholder)
    case .bytes where isRedacting:
      return .string(Base64.encode(Array(Self.placeholder.utf8)))
    default: return shown(value, of: field)
    }
  }

  private func shown(_ value: DynamicValue, of field: FieldDescriptor) -> JSONValue {
    switch value {
    case .double(let value): number(value)
    case .float(let value): number(Self.widened(value))
    case .int32(let value): .number(JSONNumber(Int64(value)))
    case .uint32(let value): .number(JSONNumber(Int64(value)))
    // Readers that know only doubles would round 64 bits, so the mapping writes them as strings.
    case .int64(let value): .string("\(value)")
    case .uint64(let value): .string("\(value)")
    case .bool(let value): .bool(value)
    case .string(let value): .string(value)
    case .bytes(let value): .string(Base64.encode(value))
    case .enumeration(let number):
      if let type = field.enumeration {
        type.isNullValue
          ? .null : type.name(of: number).map(JSONValue.string) ?? .number(.integer(Int64(number)))
      } else {
        .number(.integer(Int64(number)))
      }
    case .message(let value): message(value)
    case .list(let elements): .array(elements.map { self.value($0, of: field) })
    case .map(let entries): map(entries, of: field)
    }
  }

  private func map(_ entries: [MapKey: DynamicValue], of field: FieldDescriptor) -> JSONValue {
    guard let valueField = field.mapEntry?.value else { return [:] }
    var object = JSONObject()
    object.reserveCapacity(entries.count)
    for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
      object[key.text] = self.value(value, of: valueField)
    }
    return .object(object)
  }

  /// The double with the float's own shortest text, so that 0.1 stays 0.1.
  private static func widened(_ value: Float) -> Double {
    guard let short = Double(value.description) else { return Double(value) }
    // The shortest text of the largest float is a little larger, which strict readers refuse.
    return short.magnitude > Double(Float.greatestFiniteMagnitude) ? Double(value) : short
  }

  private func number(_ value: Double) -> JSONValue {
    if let number = JSONNumber(value) { return .number(number) }
    return .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
  }

  /// The form of a type that has its own; nil when its content has none and fields must do.
  private func wellKnown(_ type: WellKnownType, _ message: DynamicMessage) -> JSONValue? {
    if isRedacting { return .string(Self.placeholder) }
    switch type {
    case .any: return any(message)
    case .duration:
      let value = message.secondsAndNanos
      return value.isValidDuration ? .string(value.durationText) : nil
    case .timestamp:
      let value = message.secondsAndNanos
      return value.isValidTimestamp ? .string(value.timestampText) : nil
    case .fieldMask:
      let paths = (message[number: 1]?.list ?? []).map {
        FieldDescriptor.lowerCamelCase($0.string ?? "")
      }
      return .string(paths.joined(separator: ","))
    case .structure:
      guard let field = message.descriptor.field(number: 1) else { return nil }
      return map(message[number: 1]?.map ?? [:], of: field)
    case .listValue:
      return .array((message[number: 1]?.list ?? []).compactMap { $0.message.map(self.message) })
    case .value:
      guard let set = message.fields.first,
        let field = message.descriptor.field(number: set.number)
      else { return .null }
      return value(set.value, of: field)
    case .boolWrapper, .int32Wrapper, .int64Wrapper, .uint32Wrapper, .uint64Wrapper,
      .floatWrapper, .doubleWrapper, .stringWrapper, .bytesWrapper:
      guard let field = message.descriptor.field(number: 1),
        let content = message[number: 1] ?? field.defaultElement
      else { return nil }
      return value(content, of: field)
    }
  }

  private func any(_ message: DynamicMessage) -> JSONValue {
    if message.isEmpty { return [:] }
    var object: JSONObject = ["@type": .string(message.anyTypeURL ?? "")]
    if let content = message.anyContent {
      if content.descriptor.wellKnownType != nil {
        object["value"] = self.message(content)
      } else {
        write(content, into: &object)
      }
    } else if let bytes = message[number: 2]?.bytes {
      object["value"] = .string(Base64.encode(bytes))
    }
    return .object(object)
  }
}

extension FieldDescriptor {
  /// Whether what it holds is text, bytes or has such inside.
  fileprivate var isRedactable: Bool {
    switch kind {
    case .string, .bytes, .message, .group: true
    default: false
    }
  }
}
