// SPDX-License-Identifier: Apache-2.0

/// What a draft is found by.
enum DraftKey: Hashable {
  case name(String)
  case port(UInt32)
  /// The host name of a service.
  case service(String)
  case domain(String)
}

/// A draft that patches look for.
protocol PatchableDraft {
  var keys: [DraftKey] { get }
}

/// Drafts of one kind in their order, found by name without looking at all of them.
///
/// A removed draft leaves its place empty, so that the positions of the others stay. The index only
/// grows: a draft that was renamed is still found by its former name, and the caller's comparison
/// refuses it. Building it waits for the first patch that needs it.
struct DraftTable<Draft: PatchableDraft> {
  private var drafts: [Draft]
  private var removed: Set<Int> = []
  private var index: [DraftKey: [Int]]?

  init(_ drafts: [Draft] = []) { self.drafts = drafts }

  /// Those that are left, in their order.
  var remaining: [Draft] {
    removed.isEmpty
      ? drafts : drafts.indices.filter { !removed.contains($0) }.map { drafts[$0] }
  }

  var positions: [Int] { drafts.indices.filter { !removed.contains($0) } }

  func isRemoved(_ position: Int) -> Bool { removed.contains(position) }

  subscript(position: Int) -> Draft {
    get { drafts[position] }
    _modify { yield &drafts[position] }
  }

  /// The positions of drafts that may have one of the keys, ascending; all for nil.
  mutating func positions(for keys: [DraftKey]?) -> [Int] {
    guard let keys else { return positions }
    let index = builtIndex()
    if keys.count == 1 { return (index[keys[0]] ?? []).filter { !removed.contains($0) } }
    return Set(keys.flatMap { index[$0] ?? [] }).subtracting(removed).sorted()
  }

  mutating func append(_ draft: Draft) {
    drafts.append(draft)
    note(draft, at: drafts.count - 1)
  }

  mutating func remove(at position: Int) { removed.insert(position) }

  mutating func replace(_ draft: Draft, at position: Int) {
    drafts[position] = draft
    note(draft, at: position)
  }

  private mutating func builtIndex() -> [DraftKey: [Int]] {
    if let index { return index }
    var index: [DraftKey: [Int]] = [:]
    for (position, draft) in drafts.enumerated() {
      for key in draft.keys { index[key, default: []].append(position) }
    }
    self.index = index
    return index
  }

  private mutating func note(_ draft: Draft, at position: Int) {
    guard index != nil else { return }
    for key in draft.keys where index?[key]?.contains(position) != true {
      index?[key, default: []].append(position)
    }
  }
}
