// SPDX-License-Identifier: Apache-2.0

import JSON

/// Looking for and taking away what a path of a field set names.
extension JSONValue {
  /// The value at a path, or nil; `place` is that of this value, without positions in lists.
  func value(
    at path: some Collection<String>, _ resource: APIResource, place: [String] = []
  ) -> JSONValue? {
    guard let key = path.first else { return self }
    let rest = path.dropFirst()
    if key.hasPrefix("f:") {
      let name = String(key.dropFirst(2))
      return self[name]?.value(at: rest, resource, place: place + [name])
    }
    guard let list = resource.list(at: place),
      let element = arrayElements?.first(where: { list.key(of: $0) == key })
    else { return nil }
    return element.value(at: rest, resource, place: place)
  }

  /// Without the members of a set; objects and lists that it empties go too.
  func removing(
    _ fields: FieldSet, _ resource: APIResource, place: [String] = []
  ) -> JSONValue? {
    guard !fields.children.isEmpty else { return fields.isMember ? JSONValue.absent : self }
    switch self {
    case .object(var members):
      for (key, child) in fields.children where key.hasPrefix("f:") {
        let name = String(key.dropFirst(2))
        guard let member = members[name] else { continue }
        members[name] = member.removing(child, resource, place: place + [name])
      }
      return members.isEmpty ? JSONValue.absent : .object(members)
    case .array(let elements):
      guard let list = resource.list(at: place) else { return self }
      let kept = elements.compactMap { element -> JSONValue? in
        guard let child = fields.children[list.key(of: element)] else { return element }
        if child.isMember { return nil }
        return element.removing(child, resource, place: place)
      }
      return kept.isEmpty ? JSONValue.absent : .array(kept)
    default: return self
    }
  }

  /// With what an applied configuration says: objects merge, and lists that have keys.
  func merging(
    applied: JSONValue, _ resource: APIResource, place: [String] = []
  ) -> JSONValue {
    switch (self, applied) {
    case (.object(var members), .object(let new)):
      for (key, value) in new {
        members[key] =
          members[key]?.merging(applied: value, resource, place: place + [key]) ?? value
      }
      return .object(members)
    case (.array(var elements), .array(let new)):
      guard let list = resource.list(at: place) else { return applied }
      for element in new {
        if let index = elements.firstIndex(where: { list.isSame($0, element) }) {
          elements[index] = elements[index].merging(applied: element, resource, place: place)
        } else {
          elements.append(element)
        }
      }
      return .array(elements)
    default: return applied
    }
  }
}
