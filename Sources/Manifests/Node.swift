// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// A value of an object that knows its path, so that no decoder builds one.
///
/// Each accessor asks for one form and throws `invalid` with "expected X, found Y" at the node's path.
/// Forms are those of protobuf's JSON mapping, which is what Istio accepts
/// (https://protobuf.dev/programming-guides/json/).
package struct Node: Sendable {
  package var value: YAMLValue
  package var path: FieldPath

  package init(_ value: YAMLValue, at path: FieldPath = FieldPath()) {
    self.value = value
    self.path = path
  }

  /// A member of an object; nil where it is missing or null, and for anything but an object.
  package subscript(field: String) -> Node? {
    value[field].map { Node($0, at: path[field]) }
  }

  package var json: JSONValue { value.json }

  package func invalid(_ reason: String) -> ConfigError {
    ConfigError(.invalid, at: path, reason: reason)
  }

  func expected(_ form: String, remedy: String = "") -> ConfigError {
    invalid("expected \(form), found \(found)\(remedy)")
  }

  /// The value in the words of an error: scalars are quoted, the rest is named.
  private var found: String {
    switch value.content {
    case .string(let text) where text.count <= 60: "\"\(text)\""
    case .number(let number): number.text
    case .bool(let value): "\(value)"
    case .null, .string, .list, .object: value.json.kind
    }
  }

  package func string() throws(ConfigError) -> String {
    switch value.content {
    case .string(let text): return text
    case .number, .bool:
      throw invalid("expected a string, found \(value.json.kind); put it in quotes")
    default: throw expected("a string")
    }
  }

  /// A string that is not empty.
  package func text() throws(ConfigError) -> String {
    let text = try string()
    guard !text.isEmpty else { throw invalid("expected a string that is not empty") }
    return text
  }

  /// A boolean; also the words that Kubernetes takes for one, where they are not quoted.
  package func bool() throws(ConfigError) -> Bool {
    switch value.content {
    case .bool(let value): return value
    case .string(let text) where value.isAmbiguous:
      if let boolean = YAMLScalar.ambiguousBoolean(text) { return boolean }
      fallthrough
    default: throw expected("true or false")
    }
  }

  /// An integer of a range, as a number or in a string.
  package func integer<I: FixedWidthInteger>(
    _ type: I.Type, in range: ClosedRange<I> = I.min...I.max
  ) throws(ConfigError) -> I {
    let written: JSONNumber? =
      switch value.content {
      case .number(let number): number
      case .string(let text): JSONNumber(literal: text)
      default: nil
      }
    guard let number = written?.exactly(I.self), range.contains(number)
    else { throw expected("an integer from \(range.lowerBound) to \(range.upperBound)") }
    return number
  }

  /// A TCP or UDP port.
  package func port() throws(ConfigError) -> UInt16 { try integer(UInt16.self, in: 1...65535) }

  /// The elements of a list.
  package func list() throws(ConfigError) -> [Node] {
    guard case .list(let elements) = value.content else { throw expected("a list") }
    return elements.enumerated().map { Node($0.element, at: path[$0.offset]) }
  }

  /// A list of strings.
  package func strings() throws(ConfigError) -> [String] {
    var strings: [String] = []
    for element in try list() { strings.append(try element.string()) }
    return strings
  }

  /// An object of strings, as labels are.
  package func stringMap() throws(ConfigError) -> [String: String] {
    guard case .object(let members) = value.content else { throw expected("an object") }
    var map: [String: String] = [:]
    for member in members where member.value.content != .null {
      map[member.key] = try Node(member.value, at: path[member.key]).string()
    }
    return map
  }

  /// Any object, as it was written.
  package func jsonObject() throws(ConfigError) -> JSONValue {
    guard case .object = value.content else { throw expected("an object") }
    return value.json
  }

  /// One of the names of an enumeration.
  package func enumeration<E>(_ type: E.Type) throws(ConfigError) -> E
  where E: RawRepresentable & CaseIterable, E.RawValue == String {
    let names = E.allCases.map(\.rawValue)
    guard case .string(let name) = value.content else {
      throw expected("one of \(names.joined(separator: ", "))")
    }
    guard let known = E(rawValue: name) else {
      throw expected(
        "one of \(names.joined(separator: ", "))", remedy: NearestName.hint(for: name, among: names)
      )
    }
    return known
  }

  /// A duration as Go and protobuf write it: `1h2m3.5s`, `10ms`, `0s`.
  package func duration() throws(ConfigError) -> Duration {
    guard case .string(let text) = value.content else {
      throw expected("a duration such as 1h2m3.5s or 10ms", remedy: "; give the number a unit")
    }
    guard let duration = Duration(goString: text) else {
      throw expected("a duration such as 1h2m3.5s or 10ms")
    }
    return duration
  }
}
