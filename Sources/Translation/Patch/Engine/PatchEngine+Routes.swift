// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// A route configuration: one that is served by RDS, or one inside a listener.
enum ConfigurationSite: Hashable {
  case served(Int)
  case inline(Int)
}

/// ROUTE_CONFIGURATION and VIRTUAL_HOST.
extension PatchEngine {
  subscript(site: ConfigurationSite) -> RouteConfigurationDraft {
    get {
      switch site {
      case .served(let position): routes[position]
      case .inline(let position): inlineRoutes[position].draft
      }
    }
    _modify {
      switch site {
      case .served(let position): yield &routes[position]
      case .inline(let position): yield &inlineRoutes[position].draft
      }
    }
  }

  /// Takes the route configurations out of the HTTP connection managers of inbound listeners.
  mutating func openInlineRoutes() {
    guard contexts.contains(.sidecarInbound) else { return }
    for listener in listeners.positions where listeners[listener].context == .sidecarInbound {
      for chain in listeners[listener].chainPositions {
        let site = ChainSite(listener: listener, chain: chain)
        for (filter, draft) in listeners[listener][chain].filters.enumerated() {
          guard case .routeConfig(let configuration)? = draft.manager?.routeSpecifier
          else { continue }
          inlineRoutes.append(
            (
              ManagerSite(chain: site, filter: filter),
              RouteConfigurationDraft(inline: configuration)
            ))
        }
      }
    }
  }

  /// Puts those back that patches have changed.
  mutating func closeInlineRoutes() {
    for (site, draft) in inlineRoutes where !draft.origins.isEmpty {
      self[site].routeConfig = draft.finished
      listeners[site.chain.listener].origins += draft.origins
    }
    inlineRoutes = []
  }

  func place(of site: ConfigurationSite) -> PatchTrace.Place {
    switch site {
    case .served: PatchTrace.Place([]).appending(.routeConfiguration, self[site].name)
    case .inline(let position):
      place(of: inlineRoutes[position].site).appending(.routeConfiguration, self[site].name)
    }
  }

  /// The route configurations that a patch is meant for.
  mutating func admitted(
    _ step: inout PatchStep, _ matcher: RouteMatcher
  ) -> [(site: ConfigurationSite, clauses: Clauses)] {
    let served = routes.positions(for: step.keys(matcher.keys)).map(ConfigurationSite.served)
    var admitted: [(site: ConfigurationSite, clauses: Clauses)] = []
    for site in served + inlineRoutes.indices.map(ConfigurationSite.inline) {
      var clauses = step.clauses()
      matcher.compare(self[site], &clauses)
      if step.admits(clauses, at: place(of: site)) { admitted.append((site, clauses)) }
    }
    return admitted
  }

  mutating func patchRouteConfigurations(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = RouteMatcher(patch, servicePorts: servicePorts)
    var merged: [(ConfigurationSite, RouteConfigurationDraft)] = []
    for (site, clauses) in admitted(&step, matcher) {
      var draft = self[site]
      let former = draft.name
      if patch.mentions("virtual_hosts") {
        draft.finished = try merge.merged(draft.finished, by: patch)
      } else {
        draft.head = try merge.merged(draft.head, by: patch)
      }
      if case .served = site {
        try checkName(draft.name, former: former, of: patch, in: &routes)
      }
      draft.origins.append(patch.origin)
      merged.append((site, draft))
      step.changed(
        PatchTrace.Change(verb: .merged, element: draft.name), clauses, at: place(of: site))
    }
    for (site, draft) in merged {
      switch site {
      case .served(let position): routes.replace(draft, at: position)
      case .inline: self[site] = draft
      }
    }
  }

  /// One virtual host among all route configurations.
  struct HostSite: Hashable {
    var configuration: ConfigurationSite
    var host: Int
  }

  func place(of site: HostSite) -> PatchTrace.Place {
    place(of: site.configuration)
      .appending(.virtualHost, self[site.configuration].hosts[site.host].name)
  }

  /// The virtual hosts that a patch is meant for.
  mutating func admittedHosts(
    _ step: inout PatchStep, _ matcher: RouteMatcher
  ) -> [(site: HostSite, clauses: Clauses)] {
    var sites: [(site: HostSite, clauses: Clauses)] = []
    for (configuration, configurationClauses) in admitted(&step, matcher) {
      for host in self[configuration].hosts.positions(for: step.keys(matcher.hostKeys)) {
        let site = HostSite(configuration: configuration, host: host)
        var clauses = configurationClauses
        matcher.compare(self[configuration].hosts[host], &clauses)
        if step.admits(clauses, at: place(of: site)) { sites.append((site, clauses)) }
      }
    }
    return sites
  }

  mutating func patchVirtualHosts(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = RouteMatcher(patch, servicePorts: servicePorts)
    let replacement =
      patch.operation == .replace ? VirtualHostDraft(patch.element(Envoy.VirtualHost.self)) : nil
    var changed: [(HostSite, VirtualHostDraft?)] = []
    var domains = ClaimedDomains()
    let changesDomains = replacement != nil || patch.mentions("domains")
    for (site, clauses) in admittedHosts(&step, matcher) {
      let former = self[site.configuration].hosts[site.host]
      let verb: PatchTrace.Change.Verb
      if patch.operation == .remove {
        verb = .removed
        changed.append((site, nil))
      } else {
        verb = patch.isMerge ? .merged : .replaced
        let draft =
          if let replacement { replacement } else { try merged(former, by: patch) }
        if changesDomains {
          try checkDomains(of: draft, at: site, patch)
          try domains.claim(by: draft, at: site, in: self[site.configuration].name, patch)
        }
        changed.append((site, draft))
      }
      step.changed(
        PatchTrace.Change(verb: verb, element: former.name), clauses, at: place(of: site))
    }
    for (site, draft) in changed {
      if let draft {
        self[site.configuration].hosts.replace(draft, at: site.host)
      } else {
        self[site.configuration].hosts.remove(at: site.host)
      }
      note(patch.origin, on: site.configuration)
    }
  }

  private func merged(
    _ host: VirtualHostDraft, by patch: DecodedPatch
  ) throws(ConfigError) -> VirtualHostDraft {
    var host = host
    host.open()
    if patch.mentions("routes") {
      host.finished = try merge.merged(host.finished, by: patch)
    } else {
      host.head = try merge.merged(host.head, by: patch)
    }
    return host
  }

  mutating func note(_ origin: Origin, on site: ConfigurationSite) {
    self[site].origins.append(origin)
  }

  mutating func addVirtualHost(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let draft = VirtualHostDraft(patch.element(Envoy.VirtualHost.self))
    let admitted = admitted(&step, RouteMatcher(patch, servicePorts: servicePorts))
    for (site, _) in admitted {
      try checkDomains(of: draft, at: HostSite(configuration: site, host: -1), patch)
    }
    for (site, clauses) in admitted {
      self[site].hosts.append(draft)
      note(patch.origin, on: site)
      let place = place(of: site)
      if step.recording == .nothing { continue }
      let count = self[site].hosts.remaining.count
      step.changed(
        PatchTrace.Change(
          verb: .added, element: draft.name,
          position: PatchTrace.Position(index: count - 1, count: count)), clauses, at: place,
        in: site.list)
    }
  }

  /// Envoy refuses all routes of a configuration in which two virtual hosts have one domain.
  private mutating func checkDomains(
    of draft: VirtualHostDraft, at site: HostSite, _ patch: DecodedPatch
  ) throws(ConfigError) {
    let configuration = site.configuration
    for domain in draft.domains {
      for twin in self[configuration].hosts.positions(for: [.domain(domain)])
      where twin != site.host && self[configuration].hosts[twin].domains.contains(domain) {
        throw ConfigError(
          .conflict, at: patch.valuePath["domains"],
          reason: "expected domains that no other virtual host of \(self[configuration].name) has, "
            + "found \"\(domain)\" of \(self[configuration].hosts[twin].name); "
            + "the patch is skipped")
      }
    }
  }
}

/// The domains that one patch gives to virtual hosts, each of which only one can have.
private struct ClaimedDomains {
  private struct Claim: Hashable {
    var configuration: ConfigurationSite
    var domain: String
  }

  private var claims: Set<Claim> = []

  mutating func claim(
    by draft: VirtualHostDraft, at site: PatchEngine.HostSite, in name: String,
    _ patch: DecodedPatch
  ) throws(ConfigError) {
    for domain in Set(draft.domains) {
      let claim = Claim(configuration: site.configuration, domain: domain)
      guard claims.insert(claim).inserted else {
        throw ConfigError(
          .conflict, at: patch.valuePath["domains"],
          reason:
            "expected a match of one virtual host, found several of \(name), which cannot all "
            + "have \"\(domain)\"; the patch is skipped")
      }
    }
  }
}

extension ConfigurationSite {
  fileprivate var list: PatchRecorder.List? {
    if case .served(let position) = self { .virtualHosts(configuration: position) } else { nil }
  }
}
