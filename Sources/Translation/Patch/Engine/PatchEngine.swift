// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Applies the patches of EnvoyFilters to all that translation has built for a proxy.
///
/// Groups come one after another; in a group the patches go by what they apply to, from the outside
/// in, as Istio orders them. A patch finds what it is meant for by name and touches nothing else. It
/// first works out all that it would change, so that one that fails changes nothing at all.
struct PatchEngine {
  var listeners: DraftTable<ListenerDraft>
  var routes: DraftTable<RouteConfigurationDraft>
  var clusters: DraftTable<ClusterDraft>
  /// The route configurations inside the HTTP connection managers of inbound listeners, which are
  /// open only while patches of routes are applied.
  var inlineRoutes: [(site: ManagerSite, draft: RouteConfigurationDraft)] = []
  private(set) var problems: [ConfigError] = []

  let merge: ElementMerge
  /// For each port that a gateway listens on, those of the Services in front of it.
  let servicePorts: [UInt32: Set<UInt32>]
  /// The contexts that the proxy has, the first of which is that of what ANY adds.
  let contexts: [EnvoyFilter.Context]
  private let recorder: PatchRecorder?

  init(
    _ scope: ProxyScope, listeners: [ListenerDraft],
    routes: [RouteConfigurationDraft], clusters: [ClusterDraft], _ decoder: PatchValueDecoder,
    _ recorder: PatchRecorder?
  ) {
    let proxy = scope.proxy
    contexts = proxy.role == .router ? [.gateway] : [.sidecarOutbound, .sidecarInbound]
    let context = contexts[0]
    self.listeners = DraftTable(listeners)
    self.routes = DraftTable(routes)
    self.clusters = DraftTable(clusters)
    merge = ElementMerge(decoder: decoder)
    servicePorts = Dictionary(
      grouping: context == .gateway ? proxy.instances : [], by: { UInt32($0.targetPort) }
    ).mapValues { Set($0.map { UInt32($0.servicePort) }) }
    self.recorder = recorder
  }

  mutating func apply(_ group: PatchPlan.Group) {
    each(group[.cluster]) { $0.operation != .add }
    each(group[.cluster]) { $0.operation == .add }
    applyRoutes(group)
    each(group[.listener]) { $0.operation != .add }
    each(group[.listenerFilter])
    each(group[.filterChain]) { $0.operation != .add }
    // MERGE comes last, and so meets the filters of all patches.
    each(group[.networkFilter]) { !$0.isMerge }
    each(group[.networkFilter]) { $0.isMerge }
    each(group[.httpFilter]) { !$0.isMerge }
    each(group[.httpFilter]) { $0.isMerge }
    each(group[.filterChain]) { $0.operation == .add }
    each(group[.listener]) { $0.operation == .add }
  }

  private mutating func applyRoutes(_ group: PatchPlan.Group) {
    let kinds: [EnvoyFilter.ApplyTo] = [.routeConfiguration, .virtualHost, .httpRoute]
    guard kinds.contains(where: { !group[$0].isEmpty }) else { return }
    openInlineRoutes()
    each(group[.routeConfiguration])
    each(group[.virtualHost]) { $0.operation != .add }
    // Removals first: what is inserted then never comes to stand beside a route that goes.
    each(group[.httpRoute]) { $0.changesInPlace }
    each(group[.httpRoute]) { !$0.changesInPlace }
    each(group[.virtualHost]) { $0.operation == .add }
    closeInlineRoutes()
  }

  /// Applies patches one by one; one that throws has changed nothing.
  private mutating func each(
    _ patches: [DecodedPatch], _ isMeant: (DecodedPatch) -> Bool = { _ in true }
  ) {
    for patch in patches where isMeant(patch) {
      var step = PatchStep(patch, recorder?.recording(of: patch) ?? .nothing)
      do throws(ConfigError) {
        try perform(&step)
      } catch {
        let problem = patch.located(error)
        problems.append(problem)
        step.fail(problem)
      }
      problems += step.warnings
      recorder?.record(step)
    }
  }

  private mutating func perform(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let adds = patch.operation == .add
    switch patch.applyTo {
    case .cluster: adds ? try addCluster(&step) : try patchClusters(&step)
    case .routeConfiguration: try patchRouteConfigurations(&step)
    case .virtualHost: adds ? try addVirtualHost(&step) : try patchVirtualHosts(&step)
    case .httpRoute: patch.changesInPlace ? try patchRoutes(&step) : try insertRoutes(&step)
    case .listener: adds ? try addListener(&step) : try patchListeners(&step)
    case .listenerFilter: try patchListenerFilters(&step)
    case .filterChain: adds ? try addFilterChain(&step) : try patchFilterChains(&step)
    case .networkFilter:
      patch.isMerge ? try mergeNetworkFilters(&step) : try editNetworkFilters(&step)
    case .httpFilter: patch.isMerge ? try mergeHTTPFilters(&step) : try editHTTPFilters(&step)
    case .extensionConfig, .bootstrap:
      preconditionFailure("\(patch.applyTo.rawValue) is no part of a listener, route or cluster")
    }
  }

  /// The names in a list that patches have changed, to say where something came to be in the end.
  func names(in list: PatchRecorder.List) -> [String] {
    switch list {
    case .listenerFilters(let listener):
      return isGone(listener) ? [] : listeners[listener].message.listenerFilters.map(\.name)
    case .filterChains(let listener):
      guard !isGone(listener) else { return [] }
      return listeners[listener].chains.filter { !$0.isRemoved }.map(\.message.name)
    case .networkFilters(let site): return chain(at: site)?.filterNames ?? []
    case .httpFilters(let site, let filter):
      let manager = chain(at: site)?.filters.first { $0.name == filter }?.manager
      return manager?.httpFilters.map(\.name) ?? []
    case .virtualHosts(let configuration):
      return routes[configuration].hosts.remaining.map(\.name)
    case .routes(let configuration, let host):
      let hosts = routes[configuration].hosts
      return hosts.isRemoved(host) ? [] : hosts[host].routes.map(\.name)
    }
  }

  private func isGone(_ listener: Int) -> Bool { listeners.isRemoved(listener) }

  private func chain(at site: ChainSite) -> FilterChainDraft? {
    guard !isGone(site.listener), listeners[site.listener].chainPositions.contains(site.chain)
    else { return nil }
    return listeners[site.listener][site.chain]
  }
}

extension DecodedPatch {
  /// Changes or removes what is there, as opposed to putting something beside it.
  fileprivate var changesInPlace: Bool { isMerge || operation == .remove }
}
