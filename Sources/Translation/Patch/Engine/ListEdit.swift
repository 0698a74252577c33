// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// ADD, INSERT_*, REPLACE and REMOVE in a list whose order has a meaning: filters and routes.
struct ListEdit<Element> {
  let operation: EnvoyFilter.Operation
  /// Nil only for REMOVE.
  let element: Element?
  let name: (Element) -> String
  /// What is asked for; nil where the match asks for nothing inside the list.
  let target: ((Element) -> Bool)?

  /// Carries it out; what changed, or nothing where what is asked for is not there.
  func apply(to list: inout [Element]) -> [PatchTrace.Change] {
    guard operation != .remove else { return remove(from: &list) }
    guard let element else { preconditionFailure("only REMOVE has no value") }
    // Without something to look for, before means first and after means last.
    let found = target.map { matches in list.firstIndex(where: matches) }
    let anchor = found.flatMap { $0 }.map { name(list[$0]) } ?? ""
    switch (operation, found) {
    case (.add, _): return insert(element, at: list.count, .added, "at the end", &list)
    case (.insertAfter, nil):
      return insert(
        element, at: list.count, .inserted, "at the end, as nothing is asked for", &list)
    case (.insertFirst, nil), (.insertFirst, .some(.some)):
      return insert(element, at: 0, .inserted, "first", &list)
    case (.insertBefore, nil):
      return insert(element, at: 0, .inserted, "first, as nothing is asked for", &list)
    case (.insertBefore, .some(let position?)):
      return insert(element, at: position, .inserted, "before \(anchor)", &list)
    case (.insertAfter, .some(let position?)):
      return insert(element, at: position + 1, .inserted, "after \(anchor)", &list)
    case (.replace, .some(let position?)):
      list[position] = element
      return [change(.replaced, element, "in place of \(anchor)", position, list.count)]
    default: return []
    }
  }

  private func remove(from list: inout [Element]) -> [PatchTrace.Change] {
    guard let target else { return [] }
    var changes: [PatchTrace.Change] = []
    for (position, element) in list.enumerated() where target(element) {
      changes.append(change(.removed, element, "", position, list.count))
    }
    if !changes.isEmpty { list.removeAll(where: target) }
    return changes
  }

  private func insert(
    _ element: Element, at position: Int, _ verb: PatchTrace.Change.Verb, _ reason: String,
    _ list: inout [Element]
  ) -> [PatchTrace.Change] {
    list.insert(element, at: position)
    return [change(verb, element, reason, position, list.count)]
  }

  private func change(
    _ verb: PatchTrace.Change.Verb, _ element: Element, _ reason: String, _ index: Int,
    _ count: Int
  ) -> PatchTrace.Change {
    PatchTrace.Change(
      verb: verb, element: name(element), reason: reason,
      position: PatchTrace.Position(index: index, count: count))
  }
}
