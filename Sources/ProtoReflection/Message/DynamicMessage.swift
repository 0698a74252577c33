// SPDX-License-Identifier: Apache-2.0

/// A message of any type of a pool: a tree of fields by number.
///
/// Only set fields are stored. A field without presence is set when its value is not the default,
/// so two messages are equal exactly when their deterministic serialisations are. Fields that the
/// type does not know are kept as bytes. The content of a `google.protobuf.Any` is unpacked
/// whenever the pool has its type (see `anyContent`).
package struct DynamicMessage: Sendable {
  struct Field: Hashable, Sendable {
    let number: Int32
    var value: DynamicValue
  }

  package let descriptor: MessageDescriptor
  /// In order of their numbers, each number once.
  private(set) var fields: [Field] = []
  /// What the type does not know: tags and values as they came.
  package var unknownFields: [UInt8] = []

  /// An empty message.
  package init(_ descriptor: MessageDescriptor) {
    self.descriptor = descriptor
  }

  /// Whether nothing is set, which serialises to no bytes.
  package var isEmpty: Bool { fields.isEmpty && unknownFields.isEmpty }

  /// The numbers of the set fields, ascending.
  package var setFieldNumbers: [Int32] { fields.map(\.number) }

  /// The value of a set field; nil when it is unset or its number unknown.
  package subscript(number number: Int32) -> DynamicValue? {
    position(of: number).map { fields[$0].value }
  }

  /// The value of a set field by its proto or JSON name; nil when unset or unknown.
  package subscript(name: String) -> DynamicValue? {
    descriptor.field(named: name).flatMap { self[number: $0.number] }
  }

  /// Sets a field, or clears it by nil.
  ///
  /// Another member of its oneof is cleared. The value must be of the field's shape.
  package mutating func set(_ value: DynamicValue?, for field: FieldDescriptor) {
    guard let value else {
      clear(field.number)
      return
    }
    precondition(
      field.accepts(value), "the value of \(descriptor.fullName).\(field.name) has another type")
    store(value, for: field)
  }

  /// Changes the message in a singular message field in place, creating it if it is unset.
  ///
  /// - Returns: what `body` returns, or nil when the field holds no message of a known type.
  @discardableResult
  package mutating func update<R>(
    _ field: FieldDescriptor, _ body: (inout DynamicMessage) throws -> R
  ) rethrows -> R? {
    guard field.cardinality == .singular, let type = field.message else { return nil }
    var message = take(field.number)?.message ?? DynamicMessage(type)
    defer { store(.message(message), for: field) }
    return try body(&message)
  }

  package mutating func clear(_ number: Int32) {
    if let position = position(of: number) { fields.remove(at: position) }
  }

  /// The set member of a oneof, or nil.
  package func setMember(of oneof: OneofDescriptor) -> FieldDescriptor? {
    oneof.fieldNumbers.first { position(of: $0) != nil }.flatMap(descriptor.field(number:))
  }

  /// Sets a field whose value is known to fit.
  mutating func store(_ value: DynamicValue, for field: FieldDescriptor) {
    if let oneofIndex = field.oneofIndex {
      for number in descriptor.oneofs[oneofIndex].fieldNumbers where number != field.number {
        clear(number)
      }
    }
    guard field.hasPresence || !value.isDefault else {
      clear(field.number)
      return
    }
    let place = insertionPoint(of: field.number)
    if place < fields.count, fields[place].number == field.number {
      fields[place].value = value
    } else {
      fields.insert(Field(number: field.number, value: value), at: place)
    }
  }

  /// Adds an element to a list without copying the list.
  mutating func append(_ element: DynamicValue, to field: FieldDescriptor) {
    let place = insertionPoint(of: field.number)
    guard place < fields.count, fields[place].number == field.number else {
      fields.insert(Field(number: field.number, value: .list([element])), at: place)
      return
    }
    guard case .list(var elements) = fields[place].value else { return }
    // The list must have one owner while it grows.
    fields[place].value = .bool(false)
    elements.append(element)
    fields[place].value = .list(elements)
  }

  /// Sets an entry of a map without copying the map.
  mutating func insert(_ value: DynamicValue, forKey key: MapKey, in field: FieldDescriptor) {
    let place = insertionPoint(of: field.number)
    guard place < fields.count, fields[place].number == field.number else {
      fields.insert(Field(number: field.number, value: .map([key: value])), at: place)
      return
    }
    guard case .map(var entries) = fields[place].value else { return }
    fields[place].value = .bool(false)
    entries[key] = value
    fields[place].value = .map(entries)
  }

  /// Moves a value out, leaving a placeholder that the caller overwrites by `store`.
  mutating func take(_ number: Int32) -> DynamicValue? {
    guard let position = position(of: number) else { return nil }
    let value = fields[position].value
    fields[position].value = .bool(false)
    return value
  }

  private func position(of number: Int32) -> Int? {
    let place = insertionPoint(of: number)
    return place < fields.count && fields[place].number == number ? place : nil
  }

  private func insertionPoint(of number: Int32) -> Int {
    // Fields mostly come in order, so the end is the likely place.
    guard let last = fields.last, last.number >= number else { return fields.count }
    var (low, high) = (0, fields.count)
    while low < high {
      let middle = (low + high) / 2
      if fields[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension DynamicMessage: Hashable {
  package static func == (a: Self, b: Self) -> Bool {
    a.descriptor.fullName == b.descriptor.fullName && a.fields == b.fields
      && a.unknownFields == b.unknownFields
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(descriptor.fullName)
    hasher.combine(fields)
    hasher.combine(unknownFields)
  }
}
