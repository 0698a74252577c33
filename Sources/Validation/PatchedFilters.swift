// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What the patches of an object do to lists of filters, gathered once so that each of them can be
/// judged beside the others.
struct PatchedFilters {
  /// Patches that write a filter which ends its list, by their index.
  private var endings: [FilterKind: Set<Int>] = [:]
  /// Patches that remove or replace what ends a list.
  private var removals: [FilterKind: Set<Int>] = [:]
  private var names: [FilterKind: Set<String>] = [:]

  init(_ patches: [CheckedPatch]) {
    for patch in patches {
      guard let kind = FilterKind(patch.patch.applyTo) else { continue }
      if patch.touchesLastFilter { removals[kind, default: []].insert(patch.patch.index) }
      guard let filter = patch.filter else { continue }
      names[kind, default: []].insert(filter.name)
      if filter.isTerminal { endings[kind, default: []].insert(patch.patch.index) }
    }
  }

  func hasEnding(of kind: FilterKind, besides index: Int) -> Bool {
    endings[kind, default: []].contains { $0 != index }
  }

  func touchesLastFilter(of kind: FilterKind, besides index: Int) -> Bool {
    removals[kind, default: []].contains { $0 != index }
  }

  /// Whether some patch writes a filter of this name.
  func writes(_ name: String, _ kind: FilterKind) -> Bool {
    names[kind]?.contains(name) ?? false
  }
}

/// The insertions of an object so far, to find those that come twice.
struct Insertions {
  private struct Key: Hashable {
    var applyTo: EnvoyFilter.ApplyTo
    var name: String
    var context: EnvoyFilter.Context
    var match: EnvoyFilter.ObjectMatch
    var proxy: EnvoyFilter.ProxyMatch
  }

  private var first: [Key: FieldPath] = [:]
  private var removed: Set<String> = []

  /// The patch that inserted the same filter for the same match, unless it was removed since.
  mutating func note(_ patch: CheckedPatch) -> FieldPath? {
    if patch.patch.operation == .remove, let name = patch.wantedFilter { removed.insert(name) }
    guard patch.isInserting, let filter = patch.filter else { return nil }
    let key = Key(
      applyTo: patch.patch.applyTo, name: filter.name, context: patch.patch.context,
      match: patch.patch.match, proxy: patch.patch.proxy)
    guard let twin = first[key] else {
      first[key] = patch.patch.path
      return nil
    }
    return removed.contains(filter.name) ? nil : twin
  }
}
