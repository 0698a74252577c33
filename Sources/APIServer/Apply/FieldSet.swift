// SPDX-License-Identifier: Apache-2.0

import JSON

/// Some fields of an object, as `managedFields` writes them (FieldsV1): a tree whose keys are
/// `f:name` for members, `k:{…}` and `v:…` for elements of lists that merge.
///
/// Invariant: a node without children is a member; the root is none.
struct FieldSet: Hashable, Sendable {
  /// Whether the field itself belongs to the set, besides what is below it.
  private(set) var isMember = false
  private(set) var children: [String: FieldSet] = [:]

  static let leaf: FieldSet = {
    var leaf = FieldSet()
    leaf.isMember = true
    return leaf
  }()

  init() {}

  /// All fields of a value that has an author; `path` is the value's, without positions in lists.
  init(of value: JSONValue, _ resource: APIResource, at path: [String] = []) {
    switch value {
    case .object(let members) where !members.isEmpty:
      for (key, member) in members where !(path.isEmpty && Self.made.contains(key)) {
        if path == ["metadata"], Self.madeMetadata.contains(key) { continue }
        let child = FieldSet(of: member, resource, at: path + [key])
        if child.isMember || !child.children.isEmpty { children["f:\(key)"] = child }
      }
    case .array(let elements) where !elements.isEmpty:
      guard let list = resource.list(at: path) else {
        isMember = true
        return
      }
      for element in elements {
        var child = FieldSet(of: element, resource, at: path)
        child.isMember = true
        children[list.key(of: element)] = child
      }
    default: isMember = !path.isEmpty
    }
  }

  /// What no author writes: identity, and what the server makes.
  private static let made: Set<String> = ["apiVersion", "kind"]
  private static let madeMetadata: Set<String> = [
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generateName",
  ]

  var isEmpty: Bool { !isMember && children.isEmpty }

  subscript(key: String) -> FieldSet? { children[key] }

  mutating func insert(_ path: some Collection<String>) {
    guard let key = path.first else {
      isMember = true
      return
    }
    children[key, default: FieldSet()].insert(path.dropFirst())
  }

  mutating func formUnion(_ other: FieldSet) {
    isMember = isMember || other.isMember
    for (key, child) in other.children { children[key, default: FieldSet()].formUnion(child) }
  }

  mutating func subtract(_ other: FieldSet) {
    if other.isMember { isMember = false }
    for (key, child) in other.children {
      guard var own = children[key] else { continue }
      own.subtract(child)
      children[key] = own.isEmpty ? nil : own
    }
  }

  /// Takes a field away with all that is below it.
  mutating func removeAll(below path: some Collection<String>) {
    guard let key = path.first else {
      self = FieldSet()
      return
    }
    guard var child = children[key] else { return }
    child.removeAll(below: path.dropFirst())
    children[key] = child.isEmpty ? nil : child
  }

  /// Whether a field, what it is a part of, or a part of it belongs to the set.
  func touches(_ path: some Collection<String>) -> Bool {
    guard let key = path.first else { return !isEmpty }
    guard let child = children[key] else { return isMember && children.isEmpty }
    return child.touches(path.dropFirst())
  }

  /// The paths of all members, in order.
  var paths: [[String]] {
    var paths: [[String]] = []
    func visit(_ set: FieldSet, _ path: [String]) {
      if set.isMember { paths.append(path) }
      for (key, child) in set.children.sorted(by: { $0.key < $1.key }) {
        visit(child, path + [key])
      }
    }
    visit(self, [])
    return paths
  }

  init(json: JSONValue) {
    guard let members = json.objectMembers else { return }
    for (key, value) in members {
      if key == "." {
        isMember = true
      } else {
        var child = FieldSet(json: value)
        if child.isEmpty { child = .leaf }
        children[key] = child
      }
    }
  }

  var json: JSONValue {
    var members: JSONObject = [:]
    if isMember, !children.isEmpty { members["."] = [:] }
    for (key, child) in children.sorted(by: { $0.key < $1.key }) { members[key] = child.json }
    return .object(members)
  }

  /// `.spec.ports[port=80,protocol="TCP"].name`, as messages write a path.
  static func text(of path: [String]) -> String {
    path.map { key in
      if key.hasPrefix("f:") { return "." + key.dropFirst(2) }
      if key.hasPrefix("v:") { return "[=\(key.dropFirst(2))]" }
      let members = (try? JSONValue(parsing: String(key.dropFirst(2))))?.objectMembers ?? [:]
      return "[" + members.map { "\($0.key)=\($0.value.text())" }.joined(separator: ",") + "]"
    }.joined()
  }
}

extension ListKind {
  /// The key of an element in a field set.
  func key(of element: JSONValue) -> String {
    switch self {
    case .set: return "v:" + element.text()
    case .map(let keys, let defaults):
      let pairs = keys.sorted().compactMap { key in
        (element[key] ?? defaults[key].map(JSONValue.string)).map { (key, $0) }
      }
      return "k:" + JSONValue.object(pairs: pairs).text()
    }
  }
}
