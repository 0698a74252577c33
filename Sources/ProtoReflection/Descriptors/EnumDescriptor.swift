// SPDX-License-Identifier: Apache-2.0

/// An enum type: names and numbers of its values.
package final class EnumDescriptor: Sendable {
  package struct Value: Hashable, Sendable {
    package let name: String
    package let number: Int32
  }

  package let fullName: String
  /// In order of declaration; the first is the default.
  package let values: [Value]
  /// Whether numbers without a name are refused, as in proto2.
  package let isClosed: Bool
  private let numberByName: [String: Int32]
  private let nameByNumber: [Int32: String]

  init(fullName: String, values: [Value], isClosed: Bool) {
    self.fullName = fullName
    self.values = values
    self.isClosed = isClosed
    // Of aliases the first declared wins, as protobuf prints them.
    numberByName = Dictionary(values.map { ($0.name, $0.number) }) { first, _ in first }
    nameByNumber = Dictionary(values.map { ($0.number, $0.name) }) { first, _ in first }
  }

  package func number(named name: String) -> Int32? { numberByName[name] }

  package func name(of number: Int32) -> String? { nameByNumber[number] }

  /// The value that an unset field has.
  package var defaultNumber: Int32 { values.first?.number ?? 0 }

  /// `google.protobuf.NullValue`, which JSON writes as null.
  package var isNullValue: Bool { fullName == "google.protobuf.NullValue" }
}
