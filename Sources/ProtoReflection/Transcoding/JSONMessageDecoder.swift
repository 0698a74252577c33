// SPDX-License-Identifier: Apache-2.0

import JSON

/// Decodes JSON as a message, and goes on after an error to find the next.
///
/// A function that returns nil has recorded why. The path is kept as a stack beside the descent,
/// so that it costs nothing until an error needs it.
struct JSONMessageDecoder {
  let options: JSONDecoding.Options
  var path: [PathComponent] = []
  var errors: [ReflectionError] = []
  var warnings: [ReflectionError] = []
  /// Of the message that is being decoded; empty unless the options ask for it.
  var explicit = ExplicitFields()

  init(options: JSONDecoding.Options) { self.options = options }

  /// Records an error here and yields nil, so that `return fail("…")` reads well.
  mutating func fail<R>(_ reason: String) -> R? {
    if errors.count < options.maximumErrors {
      errors.append(ReflectionError(at: path, reason))
    }
    return nil
  }

  mutating func at<R>(_ component: PathComponent, _ body: (inout Self) -> R) -> R {
    path.append(component)
    defer { path.removeLast() }
    return body(&self)
  }

  private var isExhausted: Bool { errors.count >= options.maximumErrors }

  mutating func message(
    _ json: JSONValue, as descriptor: MessageDescriptor, depth: Int
  ) -> DynamicMessage? {
    guard depth < DynamicMessage.maximumDepth else {
      return fail("expected at most \(DynamicMessage.maximumDepth) levels of nesting")
    }
    if let type = descriptor.wellKnownType {
      return wellKnown(type, json, as: descriptor, depth: depth)
    }
    guard case .object(let object) = json else {
      return fail("expected an object, found \(json.kind)")
    }
    return fields(of: object, as: descriptor, skipping: nil, depth: depth)
  }

  /// Decodes an object's members as fields, but for one key that is none, such as `@type`.
  mutating func fields(
    of object: JSONObject, as descriptor: MessageDescriptor, skipping: String?, depth: Int
  ) -> DynamicMessage {
    var message = DynamicMessage(descriptor)
    // The number of each field seen, and the key it was given by.
    var seen: [(number: Int32, key: String)] = []
    for (key, value) in object where key != skipping {
      guard !isExhausted else { break }
      path.append(.field(key))
      defer { path.removeLast() }
      guard let field = descriptor.field(named: key) else {
        unknownField(key, of: descriptor)
        continue
      }
      if let twin = seen.first(where: { $0.number == field.number }) {
        _ = fail("expected each field once, found it as \"\(twin.key)\" too") as Void?
        continue
      }
      if case .null = value, !field.takesNull {
        if options.notesExplicitFields { explicit.cleared.insert(field.number) }
        continue
      }
      seen.append((field.number, key))
      if let oneofIndex = field.oneofIndex {
        let oneof = descriptor.oneofs[oneofIndex]
        let rivals = oneof.fieldNumbers
        if let rival = seen.first(where: {
          $0.number != field.number && rivals.contains($0.number)
        }) {
          _ =
            fail(
              "expected one field of the oneof \"\(oneof.name)\", found \"\(rival.key)\" too")
            as Void?
          continue
        }
      }
      let around = explicit
      explicit = ExplicitFields()
      let decoded = self.value(value, of: field, depth: depth)
      note(decoded, of: field, around)
      if let decoded { message.store(decoded, for: field) }
    }
    return message
  }

  /// Goes back to what is explicit around a field, with what its value adds.
  private mutating func note(
    _ value: DynamicValue?, of field: FieldDescriptor, _ around: ExplicitFields
  ) {
    let inside = explicit
    explicit = around
    guard options.notesExplicitFields, let value else { return }
    switch field.cardinality {
    case .singular:
      if !inside.isEmpty { explicit.nested[field.number] = inside }
      if value.isDefault, !field.hasPresence { explicit.cleared.insert(field.number) }
    case .repeated:
      // Elements are whole values, which nothing is merged into.
      if value.isDefault { explicit.cleared.insert(field.number) }
    case .map:
      if let keys = inside.removedKeys[field.number] { explicit.removedKeys[field.number] = keys }
    }
  }

  private mutating func unknownField(_ key: String, of descriptor: MessageDescriptor) {
    // The search for a name is not free, so it ends where nobody would read the result.
    guard max(errors.count, warnings.count) < options.maximumErrors else { return }
    var reason = "unknown field \"\(key)\" of \(descriptor.fullName)"
    if let nearest = descriptor.nearestFieldName(to: key) {
      reason += "; did you mean \"\(nearest)\"?"
    }
    switch options.unknownFields {
    case .reject: _ = fail(reason) as Void?
    case .collectAsWarnings: warnings.append(ReflectionError(at: path, reason))
    }
  }

  private mutating func value(
    _ json: JSONValue, of field: FieldDescriptor, depth: Int
  ) -> DynamicValue? {
    switch field.cardinality {
    case .singular: return element(json, of: field, depth: depth)
    case .repeated:
      guard case .array(let array) = json else {
        return fail("expected a list, found \(json.kind)")
      }
      var elements: [DynamicValue] = []
      elements.reserveCapacity(array.count)
      for (index, item) in array.enumerated() {
        guard !isExhausted else { break }
        let element = at(.index(index)) { $0.element(item, of: field, depth: depth) }
        if let element { elements.append(element) }
      }
      return .list(elements)
    case .map:
      guard case .object(let object) = json else {
        return fail("expected an object, found \(json.kind)")
      }
      guard let entry = field.mapEntry else { return unknownType(of: field) }
      var entries: [MapKey: DynamicValue] = [:]
      entries.reserveCapacity(object.count)
      for (key, item) in object {
        guard !isExhausted else { break }
        path.append(.key(key))
        defer { path.removeLast() }
        let mapKey = self.mapKey(key, of: entry.key)
        if case .null = item, options.notesExplicitFields, !entry.value.takesNull {
          if let mapKey { explicit.removedKeys[field.number, default: []].insert(mapKey) }
          continue
        }
        let around = explicit
        let value = element(item, of: entry.value, depth: depth)
        // Values of maps are whole, too.
        explicit = around
        guard let mapKey, let value else { continue }
        if entries.updateValue(value, forKey: mapKey) != nil {
          _ = fail("expected each key once, found it in another spelling too") as Void?
        }
      }
      return .map(entries)
    }
  }

  mutating func element(
    _ json: JSONValue, of field: FieldDescriptor, depth: Int
  ) -> DynamicValue? {
    switch field.kind {
    case .message, .group:
      guard let type = field.message else { return unknownType(of: field) }
      return message(json, as: type, depth: depth + 1).map(DynamicValue.message)
    case .enum:
      guard let type = field.enumeration else { return unknownType(of: field) }
      return enumValue(json, of: type)
    default: return scalar(json, of: field.kind)
    }
  }

  private mutating func unknownType<R>(of field: FieldDescriptor) -> R? {
    fail("unsupported: no descriptor of \(field.typeName ?? "the type") is known")
  }

  private mutating func enumValue(_ json: JSONValue, of type: EnumDescriptor) -> DynamicValue? {
    switch json {
    case .null where type.isNullValue: return .enumeration(0)
    case .string(let name):
      if let number = type.number(named: name) { return .enumeration(number) }
      var reason = "unknown value \"\(name)\" of \(type.fullName)"
      if let nearest = NearestName.of(name, among: type.values.map(\.name)) {
        reason += "; did you mean \"\(nearest)\"?"
      } else if type.values.count <= 8 {
        reason += "; expected one of \(type.values.map(\.name).joined(separator: ", "))"
      }
      return fail(reason)
    case .number(let number):
      guard let value = number.exactly(Int32.self) else {
        return fail("expected a 32-bit integer, found \(number.text)")
      }
      if type.isClosed, type.name(of: value) == nil {
        return fail("unknown value \(value) of \(type.fullName)")
      }
      return .enumeration(value)
    default: return fail("expected the name of a value, found \(json.kind)")
    }
  }
}

extension FieldDescriptor {
  /// Whether JSON's null is a value of the field and not the lack of one.
  fileprivate var takesNull: Bool {
    guard cardinality == .singular else { return false }
    switch kind {
    case .message: return message?.wellKnownType == .value
    case .enum: return enumeration?.isNullValue ?? false
    default: return false
    }
  }
}
