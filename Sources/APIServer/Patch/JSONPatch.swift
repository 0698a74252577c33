// SPDX-License-Identifier: Apache-2.0

import JSON

/// A patch as a list of operations (https://www.rfc-editor.org/rfc/rfc6902).
struct JSONPatch {
  private let operations: [JSONValue]
  /// Far above what an edit needs; Kubernetes has the same limit.
  static let limit = 10_000
  /// Bytes that all copies of a patch may have together: copies of copies grow without end.
  private static let copyLimit = 3 << 20

  init(_ json: JSONValue) throws(APIStatus) {
    guard let operations = json.arrayElements else {
      throw .badRequest("a JSON patch is a list of operations, found \(json.kind)")
    }
    guard operations.count <= Self.limit else {
      throw APIStatus(
        code: 413, reason: "RequestEntityTooLarge",
        message: "The allowed maximum operations in a JSON patch is \(Self.limit), "
          + "got \(operations.count)")
    }
    self.operations = operations
  }

  /// The value with all operations done in their order.
  func applied(to value: JSONValue) throws(APIStatus) -> JSONValue {
    var value = value
    var copied = 0
    for operation in operations { try apply(operation, to: &value, &copied) }
    return value
  }

  private func apply(
    _ operation: JSONValue, to root: inout JSONValue, _ copied: inout Int
  ) throws(APIStatus) {
    let name = operation["op"]?.stringValue ?? ""
    let path = try Self.pointer(operation, "path")
    func value() throws(APIStatus) -> JSONValue {
      guard let value = operation["value"] else { throw Self.fault(name, path, "has no value") }
      return value
    }
    switch name {
    case "add": try Self.add(try value(), at: path[...], in: &root, path)
    case "remove": _ = try Self.remove(at: path[...], in: &root, path)
    case "replace":
      let value = try value()
      if path.isEmpty {
        root = value
      } else {
        _ = try Self.find(path, in: root)
        try Self.replace(value, at: path[...], in: &root)
      }
    case "move":
      let from = try Self.pointer(operation, "from")
      let value = try Self.remove(at: from[...], in: &root, from)
      try Self.add(value, at: path[...], in: &root, path)
    case "copy":
      let value = try Self.find(try Self.pointer(operation, "from"), in: root)
      copied += value.bytes().count
      guard copied <= Self.copyLimit else { throw .tooLarge(limit: Self.copyLimit) }
      try Self.add(value, at: path[...], in: &root, path)
    case "test":
      guard try Self.find(path, in: root) == (operation["value"] ?? .null) else {
        throw Self.fault(name, path, "the value is another one")
      }
    default:
      throw .badRequest("\"\(name)\" is no operation of a JSON patch")
    }
  }

  private static func pointer(_ operation: JSONValue, _ key: String) throws(APIStatus) -> [String] {
    guard let text = operation[key]?.stringValue else {
      throw .badRequest("an operation of the JSON patch has no \(key)")
    }
    guard text.isEmpty || text.hasPrefix("/") else {
      throw .badRequest("\"\(text)\" is no JSON pointer: it begins with a slash")
    }
    return text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
      String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
    }
  }

  private static func fault(_ operation: String, _ path: [String], _ why: String) -> APIStatus {
    let place = path.map { "/" + $0 }.joined()
    return APIStatus(
      code: 422, reason: "Invalid",
      message: "the server rejected our request due to an error in our request: "
        + "\(operation) at \"\(place)\": \(why)",
      causes: [.init(reason: "FieldValueInvalid", message: why, field: place)])
  }

  private static func index(
    _ text: String, upTo count: Int, _ path: [String]
  ) throws(APIStatus) -> Int {
    guard let index = Int(text), (0..<count).contains(index), "\(index)" == text else {
      throw fault("access", path, "\"\(text)\" is no position of the list")
    }
    return index
  }

  private static func find(_ path: [String], in root: JSONValue) throws(APIStatus) -> JSONValue {
    var value = root
    for key in path {
      switch value {
      case .object(let members):
        guard let member = members[key] else { throw fault("access", path, "there is no \(key)") }
        value = member
      case .array(let elements):
        value = elements[try index(key, upTo: elements.count, path)]
      default: throw fault("access", path, "\(value.kind) has no members")
      }
    }
    return value
  }

  private static func add(
    _ new: JSONValue, at rest: ArraySlice<String>, in value: inout JSONValue, _ path: [String]
  ) throws(APIStatus) {
    guard let key = rest.first else {
      value = new
      return
    }
    let isLast = rest.count == 1
    switch value {
    case .object(var members):
      if isLast {
        members[key] = new
      } else {
        guard var member = members[key] else {
          throw fault("add", path, "there is no \(key)")
        }
        try add(new, at: rest.dropFirst(), in: &member, path)
        members[key] = member
      }
      value = .object(members)
    case .array(var elements):
      if isLast {
        let position = key == "-" ? elements.count : try index(key, upTo: elements.count + 1, path)
        elements.insert(new, at: position)
      } else {
        try add(
          new, at: rest.dropFirst(), in: &elements[try index(key, upTo: elements.count, path)],
          path)
      }
      value = .array(elements)
    default: throw fault("add", path, "\(value.kind) has no members")
    }
  }

  private static func remove(
    at rest: ArraySlice<String>, in value: inout JSONValue, _ path: [String]
  ) throws(APIStatus) -> JSONValue {
    guard let key = rest.first else { throw fault("remove", path, "the whole object stays") }
    let found = try find([key], in: value)
    guard rest.count == 1 else {
      var member = found
      let removed = try remove(at: rest.dropFirst(), in: &member, path)
      try replace(member, at: [key], in: &value)
      return removed
    }
    switch value {
    case .object(var members):
      members[key] = nil
      value = .object(members)
    case .array(var elements):
      elements.remove(at: try index(key, upTo: elements.count, path))
      value = .array(elements)
    default: break
    }
    return found
  }

  /// Replaces what is known to be there.
  private static func replace(
    _ new: JSONValue, at rest: ArraySlice<String>, in value: inout JSONValue
  ) throws(APIStatus) {
    guard let key = rest.first else {
      value = new
      return
    }
    switch value {
    case .object(var members):
      var member = members[key] ?? .null
      try replace(new, at: rest.dropFirst(), in: &member)
      members[key] = member
      value = .object(members)
    case .array(var elements):
      let position = try index(key, upTo: elements.count, Array(rest))
      try replace(new, at: rest.dropFirst(), in: &elements[position])
      value = .array(elements)
    default: break
    }
  }
}
