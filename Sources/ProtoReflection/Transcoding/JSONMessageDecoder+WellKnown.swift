// SPDX-License-Identifier: Apache-2.0

import JSON

/// Types that have a JSON form of their own.
extension JSONMessageDecoder {
  /// Decodes a type that has a JSON form of its own.
  mutating func wellKnown(
    _ type: WellKnownType, _ json: JSONValue, as descriptor: MessageDescriptor, depth: Int
  ) -> DynamicMessage? {
    switch type {
    case .any: return any(json, as: descriptor, depth: depth)
    case .duration:
      guard case .string(let text) = json else {
        return fail("expected a duration such as \"1.5s\", found \(json.kind)")
      }
      guard let value = SecondsAndNanos(durationText: text) else {
        return fail("expected a duration such as \"1.5s\", found \(Self.quoted(text))")
      }
      return DynamicMessage(value, as: descriptor)
    case .timestamp:
      guard case .string(let text) = json else {
        return fail("expected a time such as \"2024-02-29T12:00:00Z\", found \(json.kind)")
      }
      guard let value = SecondsAndNanos(timestampText: text) else {
        return fail("expected a time such as \"2024-02-29T12:00:00Z\", found \(Self.quoted(text))")
      }
      return DynamicMessage(value, as: descriptor)
    case .fieldMask: return fieldMask(json, as: descriptor)
    case .structure: return structure(json, as: descriptor, depth: depth)
    case .value: return value(json, as: descriptor, depth: depth)
    case .listValue: return listValue(json, as: descriptor, depth: depth)
    case .boolWrapper, .int32Wrapper, .int64Wrapper, .uint32Wrapper, .uint64Wrapper,
      .floatWrapper, .doubleWrapper, .stringWrapper, .bytesWrapper:
      guard let field = descriptor.field(number: 1), let value = scalar(json, of: field.kind)
      else { return nil }
      return DynamicMessage(descriptor, number: 1, value)
    }
  }

  private mutating func fieldMask(
    _ json: JSONValue, as descriptor: MessageDescriptor
  ) -> DynamicMessage? {
    guard case .string(let text) = json else {
      return fail("expected field paths with commas between, found \(json.kind)")
    }
    var paths: [DynamicValue] = []
    for path in text.split(separator: ",") {
      // In JSON each path is in lowerCamelCase, in the message as in the `.proto` file.
      guard !path.contains("_") else {
        return fail("expected field paths in lowerCamelCase, found \(Self.quoted(String(path)))")
      }
      var snake = ""
      for character in path {
        if character.isUppercase { snake += "_" }
        snake += character.lowercased()
      }
      paths.append(.string(snake))
    }
    return DynamicMessage(descriptor, number: 1, .list(paths))
  }

  private mutating func structure(
    _ json: JSONValue, as descriptor: MessageDescriptor, depth: Int
  ) -> DynamicMessage? {
    guard case .object(let object) = json else {
      return fail("expected an object, found \(json.kind)")
    }
    guard let type = descriptor.field(number: 1)?.mapEntry?.value.message else { return nil }
    var entries: [MapKey: DynamicValue] = [:]
    entries.reserveCapacity(object.count)
    for (key, item) in object {
      path.append(.field(key))
      defer { path.removeLast() }
      if let value = message(item, as: type, depth: depth + 1) {
        entries[.string(key)] = .message(value)
      }
    }
    return DynamicMessage(descriptor, number: 1, .map(entries))
  }

  private mutating func listValue(
    _ json: JSONValue, as descriptor: MessageDescriptor, depth: Int
  ) -> DynamicMessage? {
    guard case .array(let array) = json else {
      return fail("expected a list, found \(json.kind)")
    }
    guard let type = descriptor.field(number: 1)?.message else { return nil }
    var elements: [DynamicValue] = []
    elements.reserveCapacity(array.count)
    for (index, item) in array.enumerated() {
      let value = at(.index(index)) { $0.message(item, as: type, depth: depth + 1) }
      if let value { elements.append(.message(value)) }
    }
    return DynamicMessage(descriptor, number: 1, .list(elements))
  }

  private mutating func value(
    _ json: JSONValue, as descriptor: MessageDescriptor, depth: Int
  ) -> DynamicMessage? {
    switch json {
    case .null: return DynamicMessage(descriptor, number: 1, .enumeration(0))
    case .number(let number):
      return DynamicMessage(descriptor, number: 2, .double(number.doubleValue))
    case .string(let text): return DynamicMessage(descriptor, number: 3, .string(text))
    case .bool(let value): return DynamicMessage(descriptor, number: 4, .bool(value))
    case .object, .array:
      let isObject = if case .object = json { true } else { false }
      let number: Int32 = isObject ? 5 : 6
      guard let type = descriptor.field(number: number)?.message,
        let content = message(json, as: type, depth: depth + 1)
      else { return nil }
      return DynamicMessage(descriptor, number: number, .message(content))
    }
  }
}

extension DynamicMessage {
  /// A message with one field set.
  init(_ descriptor: MessageDescriptor, number: Int32, _ value: DynamicValue) {
    self.init(descriptor)
    if let field = descriptor.field(number: number) { store(value, for: field) }
  }

  /// A `google.protobuf.Duration` or `Timestamp`.
  init(_ value: SecondsAndNanos, as descriptor: MessageDescriptor) {
    self.init(descriptor, number: 1, .int64(value.seconds))
    if let nanos = descriptor.field(number: 2) { store(.int32(value.nanos), for: nanos) }
  }

  /// The parts of a `google.protobuf.Duration` or `Timestamp`.
  var secondsAndNanos: SecondsAndNanos {
    var value = SecondsAndNanos(seconds: 0, nanos: 0)
    if case .int64(let seconds)? = self[number: 1] { value.seconds = seconds }
    if case .int32(let nanos)? = self[number: 2] { value.nanos = nanos }
    return value
  }
}
