// SPDX-License-Identifier: Apache-2.0

/// A message type: its fields by number and by either name.
package final class MessageDescriptor: Sendable {
  package let fullName: String
  /// In order of their numbers.
  package let fields: [FieldDescriptor]
  /// Without those that only stand for proto3's `optional`.
  package let oneofs: [OneofDescriptor]
  /// Whether JSON has a form of its own for it, and which.
  package let wellKnownType: WellKnownType?
  /// Where the descriptors of this type's neighbours are.
  ///
  /// Pool and descriptors hold each other: a pool lives as long as the process, and a message
  /// that is still in use must be able to name its types.
  package let pool: DescriptorPool
  /// Whether other files may add fields, which makes unknown numbers worth a look.
  let isExtendable: Bool
  /// The serialised `MessageOptions`.
  let options: Range<Int>?
  /// The position in the pool.
  let index: Int
  private let indexByName: [String: Int]
  /// Whether field n is at n - 1, as in most messages.
  private let isDense: Bool

  init(
    fullName: String, fields: [FieldDescriptor], oneofs: [OneofDescriptor], isExtendable: Bool,
    options: Range<Int>?, index: Int, pool: DescriptorPool
  ) {
    self.fullName = fullName
    self.fields = fields.sorted { $0.number < $1.number }
    self.oneofs = oneofs
    self.isExtendable = isExtendable
    self.options = options
    self.index = index
    self.pool = pool
    wellKnownType = WellKnownType(rawValue: fullName)
    isDense = self.fields.enumerated().allSatisfy { Int($1.number) == $0 + 1 }
    var indexByName: [String: Int] = [:]
    indexByName.reserveCapacity(fields.count * 2)
    for (index, field) in self.fields.enumerated() { indexByName[field.jsonName] = index }
    // A proto name wins over another field's JSON name.
    for (index, field) in self.fields.enumerated() { indexByName[field.name] = index }
    self.indexByName = indexByName
  }

  /// The field with a number, extensions included.
  package func field(number: Int32) -> FieldDescriptor? {
    if isDense {
      if number > 0, Int(number) <= fields.count { return fields[Int(number) - 1] }
    } else {
      var (low, high) = (0, fields.count)
      while low < high {
        let middle = (low + high) / 2
        if fields[middle].number < number { low = middle + 1 } else { high = middle }
      }
      if low < fields.count, fields[low].number == number { return fields[low] }
    }
    return isExtendable ? pool.extensionField(of: fullName, number: number) : nil
  }

  /// The field with a proto name, a JSON name, or an extension's full name in brackets.
  package func field(named name: String) -> FieldDescriptor? {
    if let index = indexByName[name] { return fields[index] }
    guard isExtendable, name.first == "[", name.last == "]" else { return nil }
    return pool.extensionField(of: fullName, named: name)
  }

  /// The proto name of the field that `name` most likely stands for.
  package func nearestFieldName(to name: String) -> String? {
    NearestName.of(name, among: fields.map(\.name))
  }
}
