// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// One network filter among all listeners.
struct ManagerSite: Hashable {
  var chain: ChainSite
  var filter: Int
}

/// NETWORK_FILTER and HTTP_FILTER.
extension PatchEngine {
  mutating func editNetworkFilters(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = ListenerMatcher(patch)
    let wanted = patch.usesFilterTarget ? matcher.networkFilter : nil
    let edit = ListEdit(
      operation: patch.operation,
      element: patch.value == nil
        ? nil : NetworkFilterDraft(opening: patch.element(Envoy.NetworkFilter.self)),
      name: \.name, target: wanted.map { name in { name.matches($0.name) } })
    for (site, chainClauses) in admittedChains(&step, matcher) {
      let place = listeners[site.listener].place(of: site.chain)
      var chain = listeners[site.listener][site.chain]
      var clauses = chainClauses
      wanted?.compare(among: chain.filterNames, &clauses)
      guard step.admits(clauses, at: place) else { continue }
      let changes = edit.apply(to: &chain.filters)
      listeners[site.listener][site.chain] = chain
      listeners[site.listener].origins.append(patch.origin)
      for change in changes { step.changed(change, clauses, at: place, in: .networkFilters(site)) }
    }
  }

  mutating func mergeNetworkFilters(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = ListenerMatcher(patch)
    let wanted = matcher.networkFilter
    var merged: [(ChainSite, FilterChainDraft)] = []
    for (site, chainClauses) in admittedChains(&step, matcher) {
      let place = listeners[site.listener].place(of: site.chain)
      var chain = listeners[site.listener][site.chain]
      var clauses = chainClauses
      wanted?.compare(among: chain.filterNames, &clauses)
      guard step.admits(clauses, at: place) else { continue }
      var hasChanged = false
      for index in chain.filters.indices where wanted?.matches(chain.filters[index].name) ?? true {
        let former = chain.filters[index]
        let inner = place.appending(.networkFilter, former.name)
        if case .other(let filter) = former, case .configDiscovery = filter.configType,
          patch.mentions("typed_config")
        {
          reportDiscovered(former.name, isAskedFor: wanted != nil, clauses, inner, &step)
          continue
        }
        do throws(ConfigError) {
          chain.filters[index] = NetworkFilterDraft(
            opening: try merge.merged(former.finished, by: patch))
        } catch {
          step.failed(error, clauses, at: inner)
          throw error
        }
        hasChanged = true
        step.changed(
          PatchTrace.Change(
            verb: .merged, element: chain.filters[index].name,
            position: PatchTrace.Position(index: index, count: chain.filters.count)), clauses,
          at: inner, in: .networkFilters(site))
      }
      if hasChanged { merged.append((site, chain)) }
    }
    for (site, chain) in merged {
      listeners[site.listener][site.chain] = chain
      listeners[site.listener].origins.append(patch.origin)
    }
  }

  /// The HTTP connection managers that a patch is meant for.
  private mutating func admittedManagers(
    _ step: inout PatchStep, _ matcher: ListenerMatcher
  ) -> [(site: ManagerSite, clauses: Clauses)] {
    let wanted = matcher.networkFilter
    var sites: [(site: ManagerSite, clauses: Clauses)] = []
    for (site, chainClauses) in admittedChains(&step, matcher) {
      let chain = listeners[site.listener][site.chain]
      let managers = chain.filters.indices.filter { chain.filters[$0].manager != nil }
      if managers.isEmpty {
        step.noEffect(
          "there is no HTTP connection manager, so no HTTP filters", chainClauses,
          at: listeners[site.listener].place(of: site.chain))
      }
      for filter in managers {
        var clauses = chainClauses
        wanted?.compare(among: [chain.filters[filter].name], &clauses)
        let manager = ManagerSite(chain: site, filter: filter)
        if step.admits(clauses, at: place(of: manager)) { sites.append((manager, clauses)) }
      }
    }
    return sites
  }

  func place(of site: ManagerSite) -> PatchTrace.Place {
    let listener = listeners[site.chain.listener]
    return listener.place(of: site.chain.chain)
      .appending(.networkFilter, listener[site.chain.chain].filters[site.filter].name)
  }

  subscript(site: ManagerSite) -> Envoy.HTTPConnectionManager {
    get {
      let chain = listeners[site.chain.listener][site.chain.chain]
      guard let manager = chain.filters[site.filter].manager else {
        preconditionFailure("the filter is no HTTP connection manager")
      }
      return manager
    }
    set {
      listeners[site.chain.listener][site.chain.chain].filters[site.filter].manager = newValue
    }
  }

  mutating func editHTTPFilters(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = ListenerMatcher(patch)
    let wanted = patch.usesFilterTarget ? matcher.httpFilter : nil
    let edit = ListEdit(
      operation: patch.operation,
      element: patch.value == nil ? nil : patch.element(Envoy.HTTPFilter.self),
      name: \.name, target: wanted.map { name in { name.matches($0.name) } })
    for (site, managerClauses) in admittedManagers(&step, matcher) {
      var filters = self[site].httpFilters
      var clauses = managerClauses
      wanted?.compare(among: filters.map(\.name), &clauses)
      guard step.admits(clauses, at: place(of: site)) else { continue }
      let changes = edit.apply(to: &filters)
      note(changes, clauses, site, &step)
      self[site].httpFilters = filters
      listeners[site.chain.listener].origins.append(patch.origin)
    }
  }

  mutating func mergeHTTPFilters(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = ListenerMatcher(patch)
    let wanted = matcher.httpFilter
    var merged: [(ManagerSite, [Envoy.HTTPFilter])] = []
    for (site, managerClauses) in admittedManagers(&step, matcher) {
      var filters = self[site].httpFilters
      var clauses = managerClauses
      wanted?.compare(among: filters.map(\.name), &clauses)
      guard step.admits(clauses, at: place(of: site)) else { continue }
      var changes: [PatchTrace.Change] = []
      for index in filters.indices where wanted?.matches(filters[index].name) ?? true {
        let inner = place(of: site).appending(.httpFilter, filters[index].name)
        if case .configDiscovery = filters[index].configType, patch.mentions("typed_config") {
          reportDiscovered(filters[index].name, isAskedFor: wanted != nil, clauses, inner, &step)
          continue
        }
        do throws(ConfigError) {
          filters[index] = try merge.merged(filters[index], by: patch)
        } catch {
          step.failed(error, clauses, at: inner)
          throw error
        }
        changes.append(
          PatchTrace.Change(
            verb: .merged, element: filters[index].name,
            position: PatchTrace.Position(index: index, count: filters.count)))
      }
      note(changes, clauses, site, &step)
      if !changes.isEmpty { merged.append((site, filters)) }
    }
    for (site, filters) in merged {
      self[site].httpFilters = filters
      listeners[site.chain.listener].origins.append(patch.origin)
    }
  }

  private func note(
    _ changes: [PatchTrace.Change], _ clauses: Clauses, _ site: ManagerSite,
    _ step: inout PatchStep
  ) {
    guard step.recording != .nothing else { return }
    let place = place(of: site)
    let list = PatchRecorder.List.httpFilters(site.chain, filter: place.steps.last?.name ?? "")
    for change in changes { step.changed(change, clauses, at: place, in: list) }
  }

  /// What a filter of ECDS runs is not in the listener.
  private func reportDiscovered(
    _ name: String, isAskedFor: Bool, _ clauses: Clauses, _ place: PatchTrace.Place,
    _ step: inout PatchStep
  ) {
    let reason = "the filter \(name) takes its configuration from ECDS, so nothing is merged"
    step.noEffect(reason, clauses, at: place)
    guard isAskedFor else { return }
    step.warn(
      .unsupported, at: step.patch.valuePath,
      reason + "; change the EXTENSION_CONFIG or WasmPlugin instead")
  }
}
