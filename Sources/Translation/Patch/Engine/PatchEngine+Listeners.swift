// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// LISTENER, LISTENER_FILTER and FILTER_CHAIN.
extension PatchEngine {
  /// The listeners that a patch is meant for, with the conditions that hold.
  mutating func admitted(
    _ step: inout PatchStep, _ matcher: ListenerMatcher
  ) -> [(position: Int, clauses: Clauses)] {
    var admitted: [(position: Int, clauses: Clauses)] = []
    for position in listeners.positions(for: step.keys(matcher.keys)) {
      var clauses = step.clauses()
      matcher.compare(listeners[position], &clauses)
      if step.admits(clauses, at: listeners[position].place) {
        admitted.append((position, clauses))
      }
    }
    return admitted
  }

  mutating func patchListeners(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let admitted = admitted(&step, ListenerMatcher(patch))
    guard patch.isMerge else {
      for (position, clauses) in admitted {
        step.changed(
          PatchTrace.Change(verb: .removed, element: listeners[position].name), clauses,
          at: listeners[position].place)
        listeners.remove(at: position)
      }
      return
    }
    var merged: [(Int, ListenerDraft)] = []
    for (position, clauses) in admitted {
      var draft = try self.merged(listeners[position], by: patch)
      try checkName(draft.name, former: listeners[position].name, of: patch, in: &listeners)
      draft.origins.append(patch.origin)
      merged.append((position, draft))
      step.changed(
        PatchTrace.Change(verb: .merged, element: draft.name), clauses, at: draft.place)
    }
    for (position, draft) in merged { listeners.replace(draft, at: position) }
  }

  /// Only the listener's own fields are decoded, unless the patch is about its chains.
  private func merged(
    _ draft: ListenerDraft, by patch: DecodedPatch
  ) throws(ConfigError) -> ListenerDraft {
    if patch.mentions("filter_chains") || patch.mentions("default_filter_chain") {
      return draft.reopened(try merge.merged(draft.sourced.content, by: patch))
    }
    var draft = draft
    draft.message = try merge.merged(draft.message, by: patch)
    return draft
  }

  mutating func addListener(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    guard let (context, clauses) = contextToAdd(&step) else { return }
    let draft = ListenerDraft(added: patch.element(Envoy.Listener.self), context, by: patch.origin)
    try checkName(draft.name, former: nil, of: patch, in: &listeners)
    listeners.append(draft)
    step.changed(PatchTrace.Change(verb: .added, element: draft.name), clauses, at: draft.place)
  }

  /// Where a listener or a cluster goes that a patch adds: once, for ANY to the first context.
  mutating func contextToAdd(
    _ step: inout PatchStep
  ) -> (EnvoyFilter.Context, Clauses)? {
    let wanted = step.patch.patch.context
    let context = contexts.first { wanted == .any || wanted == $0 }
    var clauses = step.clauses()
    clauses.require(
      step.patch.matchPath["context"], wanted: wanted.rawValue,
      found: contexts.map(\.rawValue).joined(separator: ", "), context != nil)
    guard step.admits(clauses, at: PatchTrace.Place([])), let context else { return nil }
    return (context, clauses)
  }

  /// Envoy takes one resource of a name.
  func checkName(
    _ name: String, former: String?, of patch: DecodedPatch,
    in table: inout DraftTable<some PatchableDraft>
  ) throws(ConfigError) {
    guard name != former else { return }
    let hasTwin = table.positions(for: [.name(name)]).contains { position in
      table[position].keys.contains(.name(name))
    }
    guard hasTwin else { return }
    throw ConfigError(
      .conflict, at: patch.valuePath["name"],
      reason: "expected a name of its own, found \"\(name)\", which exists already; "
        + "the patch is skipped")
  }

  mutating func patchListenerFilters(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = ListenerMatcher(patch)
    let wanted = matcher.listenerFilter
    var edited: [(position: Int, [Envoy.ListenerFilter])] = []
    let element =
      patch.value == nil || patch.isMerge ? nil : patch.element(Envoy.ListenerFilter.self)
    for (position, listenerClauses) in admitted(&step, matcher) {
      let place = listeners[position].place
      var filters = listeners[position].message.listenerFilters
      var clauses = listenerClauses
      if patch.usesFilterTarget { wanted?.compare(among: filters.map(\.name), &clauses) }
      guard step.admits(clauses, at: place) else { continue }
      var changes: [PatchTrace.Change] = []
      if patch.isMerge {
        for index in filters.indices where wanted?.matches(filters[index].name) ?? false {
          filters[index] = try merge.merged(filters[index], by: patch)
          changes.append(
            PatchTrace.Change(
              verb: .merged, element: filters[index].name,
              position: PatchTrace.Position(index: index, count: filters.count)))
        }
      } else {
        changes = ListEdit(
          operation: patch.operation, element: element, name: \.name,
          target: patch.usesFilterTarget ? wanted.map { name in { name.matches($0.name) } } : nil
        ).apply(to: &filters)
      }
      edited.append((position, filters))
      for change in changes {
        step.changed(change, clauses, at: place, in: .listenerFilters(listener: position))
      }
    }
    for (position, filters) in edited {
      listeners[position].message.listenerFilters = filters
      listeners[position].origins.append(patch.origin)
    }
  }

  /// The filter chains that a patch is meant for.
  mutating func admittedChains(
    _ step: inout PatchStep, _ matcher: ListenerMatcher
  ) -> [(site: ChainSite, clauses: Clauses)] {
    var sites: [(site: ChainSite, clauses: Clauses)] = []
    for (listener, listenerClauses) in admitted(&step, matcher) {
      let draft = listeners[listener]
      for chain in draft.chainPositions {
        var clauses = listenerClauses
        matcher.compare(draft[chain].message, of: draft, &clauses)
        guard step.admits(clauses, at: draft.place(of: chain)) else { continue }
        sites.append((ChainSite(listener: listener, chain: chain), clauses))
      }
    }
    return sites
  }

  mutating func patchFilterChains(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    var merged: [(ChainSite, FilterChainDraft)] = []
    for (site, clauses) in admittedChains(&step, ListenerMatcher(patch)) {
      let listener = listeners[site.listener]
      let place = listener.place(of: site.chain)
      var draft = listener[site.chain]
      let verb: PatchTrace.Change.Verb = patch.isMerge ? .merged : .removed
      if !patch.isMerge {
        draft.isRemoved = true
      } else if patch.mentions("filters") {
        draft = FilterChainDraft(opening: try merge.merged(draft.finished, by: patch))
      } else {
        draft.message = try merge.merged(draft.message, by: patch)
      }
      merged.append((site, draft))
      step.changed(PatchTrace.Change(verb: verb, element: draft.message.name), clauses, at: place)
    }
    for (site, draft) in merged {
      if draft.isRemoved, site.chain == .fallback {
        listeners[site.listener].defaultChain = nil
      } else {
        listeners[site.listener][site.chain] = draft
      }
      listeners[site.listener].origins.append(patch.origin)
    }
  }

  mutating func addFilterChain(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let draft = FilterChainDraft(opening: patch.element(Envoy.FilterChain.self))
    for (position, clauses) in admitted(&step, ListenerMatcher(patch)) {
      listeners[position].chains.append(draft)
      listeners[position].origins.append(patch.origin)
      let count = listeners[position].chains.filter { !$0.isRemoved }.count
      step.changed(
        PatchTrace.Change(
          verb: .added, element: draft.message.name,
          position: PatchTrace.Position(index: count - 1, count: count)), clauses,
        at: listeners[position].place, in: .filterChains(listener: position))
    }
  }
}

extension DecodedPatch {
  /// Whether the filter that the match names decides where in the list something happens.
  var usesFilterTarget: Bool { operation != .add && operation != .insertFirst }
}
