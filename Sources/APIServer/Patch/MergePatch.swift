// SPDX-License-Identifier: Apache-2.0

import JSON

/// A patch that looks like the object (https://www.rfc-editor.org/rfc/rfc7386), and Kubernetes'
/// strategic form of it, which merges some lists by key.
enum MergePatch {
  /// Members of the patch override, null removes; everything but objects is replaced.
  static func merge(_ patch: JSONValue, into value: JSONValue) -> JSONValue {
    guard case .object(let members) = patch else { return patch }
    var result = value.objectMembers ?? [:]
    for (key, member) in members {
      result[key] = member == .null ? JSONValue.absent : merge(member, into: result[key] ?? .null)
    }
    return .object(result)
  }

  /// A strategic merge patch
  /// (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/).
  ///
  /// The resource knows which lists merge; all others are replaced.
  static func strategic(
    _ patch: JSONValue, into value: JSONValue, at path: [String] = [], _ resource: APIResource
  ) -> JSONValue {
    guard case .object(let members) = patch else { return patch }
    switch members["$patch"]?.stringValue {
    case "delete": return .null
    case "replace":
      var replacement = members
      replacement["$patch"] = nil
      return .object(replacement)
    default: break
    }
    var result = value.objectMembers ?? [:]
    if let kept = members["$retainKeys"]?.arrayElements?.compactMap(\.stringValue) {
      for key in result.keys where !kept.contains(key) { result[key] = nil }
    }
    for (key, member) in members where !key.hasPrefix("$") {
      if member == .null {
        result[key] = nil
        continue
      }
      let place = path + [key]
      guard case .array(let elements) = member, let list = resource.list(at: place) else {
        let merged = strategic(member, into: result[key] ?? .null, at: place, resource)
        result[key] = merged == .null ? JSONValue.absent : merged
        continue
      }
      let existing = result[key]?.arrayElements ?? []
      let order = members["$setElementOrder/\(key)"]?.arrayElements ?? []
      result[key] = .array(
        self.merge(elements, into: existing, order, list, at: place, resource))
    }
    for (key, member) in members where key.hasPrefix("$deleteFromPrimitiveList/") {
      let name = String(key.dropFirst("$deleteFromPrimitiveList/".count))
      let gone = member.arrayElements ?? []
      result[name] = result[name]?.arrayElements.map { .array($0.filter { !gone.contains($0) }) }
    }
    return .object(result)
  }

  private static func merge(
    _ elements: [JSONValue], into existing: [JSONValue], _ order: [JSONValue], _ list: ListKind,
    at path: [String], _ resource: APIResource
  ) -> [JSONValue] {
    if elements.contains(where: { $0["$patch"]?.stringValue == "replace" }) {
      return elements.filter { $0["$patch"] == nil }
    }
    var result = existing
    for element in elements {
      // kubectl merges by the first key alone, so this is what a patch must name.
      let index = result.firstIndex { list.isSame($0, element, byFirstKeyOnly: true) }
      if element["$patch"]?.stringValue == "delete" {
        if let index { result.remove(at: index) }
      } else if let index {
        result[index] = strategic(element, into: result[index], at: path, resource)
      } else {
        result.append(element)
      }
    }
    guard !order.isEmpty else { return result }
    func rank(_ element: JSONValue) -> Int {
      order.firstIndex { list.isSame($0, element, byFirstKeyOnly: true) } ?? order.count
    }
    return result.enumerated().sorted { left, right in
      (rank(left.element), left.offset) < (rank(right.element), right.offset)
    }.map(\.element)
  }
}

extension ListKind {
  /// Whether two elements stand for the same thing.
  func isSame(_ left: JSONValue, _ right: JSONValue, byFirstKeyOnly: Bool = false) -> Bool {
    switch self {
    case .set: left == right
    case .map(let keys, let defaults):
      (byFirstKeyOnly ? Array(keys.prefix(1)) : keys).allSatisfy { key in
        let standard = defaults[key].map(JSONValue.string)
        return (left[key] ?? standard) == (right[key] ?? standard)
      }
    }
  }
}
