// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel

/// Where a sidecar sends the connections of a port that it does not look into: as `tls` and `tcp` of
/// VirtualServices say, else to the services that the port belongs to.
///
/// As in Istio, every `tls` match adds its names, and the first `tcp` route without subnets is the
/// last one that counts.
struct OutboundStreams {
  /// A filter chain to be.
  struct Route {
    var name = ""
    /// Empty for all names.
    var serverNames: [String] = []
    /// Empty for all addresses.
    var ranges: [AddressRange] = []
    var proxy: Envoy.TCPProxy
  }

  /// Who takes the connections for a name and an address.
  private struct Owner {
    var object: ObjectRef?
    /// For whose sake.
    var hostname: String
  }

  /// Each with a condition.
  private(set) var routes: [Route] = []
  /// For what none of them takes; nil where that is unknown traffic.
  private(set) var rest: Route?
  /// The VirtualServices that were used.
  private(set) var origins: [Origin] = []
  private(set) var problems: [ConfigError] = []

  private let port: OutboundPorts.StreamPort
  private let scope: ProxyScope
  private var proxies: StreamProxy
  /// By name; nil among the ranges stands for all addresses.
  private var owners: [String: [AddressRange?: Owner]] = [:]

  init(_ port: OutboundPorts.StreamPort, _ scope: ProxyScope, _ index: StreamRouteIndex) {
    self.port = port
    self.scope = scope
    proxies = StreamProxy(scope, port: port.number)
    let isUsed = { position in port.egress.imports(index[position]) }
    var members: [Int: [Member]] = [:]
    for member in port.members where member.reading == .tls {
      for position in index.positions(for: member.service).filter(isUsed) {
        members[position, default: []].append(member)
      }
    }
    var routed: Set<String> = []
    for (position, members) in members.sorted(by: { $0.key < $1.key }) {
      for member in members where addTLS(index[position].object, for: member) {
        routed.insert(member.service.hostname)
      }
    }
    for member in port.members {
      if member.reading == .tls {
        // Routes for its name replace the service; those for other names do not.
        if !routed.contains(member.service.hostname) { addTLS(member) }
      } else {
        let positions = index.positions(for: member.service).filter(isUsed)
        addTCP(member, positions.map { index[$0].object })
      }
    }
    origins += proxies.origins
  }

  private typealias Member = OutboundPorts.StreamPort.Member

  /// Adds what a VirtualService says about a service; returns whether it says where its name leads.
  private mutating func addTLS(_ object: VirtualService, for member: Member) -> Bool {
    let hostname = member.service.hostname
    var isRouted = false
    for route in object.tls {
      for (index, match) in route.matches.enumerated() where applies(match, in: object) {
        let names = GatewayPort.Server.serverNames(match.sniHosts)
        isRouted = isRouted || names.contains { Hostname.intersection($0, hostname) != nil }
        let ranges = Self.ranges(match.destinationSubnets) ?? member.ranges
        let free = claim(
          names, ranges, Owner(object: object.ref, hostname: hostname),
          at: route.path["match"][index]["sniHosts"])
        guard !free.isEmpty else { continue }
        origins.append(object.origin(at: route.path))
        routes.append(
          Route(
            serverNames: free == ["*"] ? [] : free, ranges: ranges,
            proxy: proxies.proxy(for: route, of: object)))
      }
    }
    return isRouted
  }

  /// Adds a service that no route is about.
  private mutating func addTLS(_ member: Member) {
    let hostname = member.service.hostname
    let proxy = proxies.proxy(to: member.service)
    // An address of its own says enough.
    guard port.isShared else {
      rest = Route(proxy: proxy)
      return
    }
    let owner = Owner(object: member.service.origins.first?.object, hostname: hostname)
    guard !claim([hostname], member.ranges, owner, at: nil).isEmpty else { return }
    routes.append(
      Route(name: hostname, serverNames: [hostname], ranges: member.ranges, proxy: proxy))
  }

  private mutating func addTCP(_ member: Member, _ virtualServices: [VirtualService]) {
    let hostname = member.service.hostname
    for object in virtualServices {
      for route in object.tcp {
        let matches = route.matches.enumerated().filter { applies($1, in: object) }
        guard route.matches.isEmpty || !matches.isEmpty else { continue }
        let owner = Owner(object: object.ref, hostname: hostname)
        if let everything = matches.first(where: { Self.ranges($1.destinationSubnets) == nil })?
          .offset
          ?? (route.matches.isEmpty ? 0 : nil)
        {
          origins.append(object.origin(at: route.path))
          let path = route.matches.isEmpty ? route.path : route.path["match"][everything]
          add(member.ranges, owner, at: path, proxies.proxy(for: route, of: object))
          return
        }
        var ranges: [AddressRange] = []
        for (index, match) in matches {
          let path = route.path["match"][index]["destinationSubnets"]
          let others = (Self.ranges(match.destinationSubnets) ?? []).filter { !ranges.contains($0) }
          ranges += free(others, owner, at: path)
        }
        guard !ranges.isEmpty else { continue }
        origins.append(object.origin(at: route.path))
        routes.append(Route(ranges: ranges, proxy: proxies.proxy(for: route, of: object)))
      }
    }
    let owner = Owner(object: member.service.origins.first?.object, hostname: hostname)
    add(member.ranges, owner, at: nil, proxies.proxy(to: member.service))
  }

  /// Adds what takes the connections of a service that no route with subnets has taken.
  private mutating func add(
    _ ranges: [AddressRange], _ owner: Owner, at path: FieldPath?, _ proxy: Envoy.TCPProxy
  ) {
    guard !ranges.isEmpty else {
      rest = Route(proxy: proxy)
      return
    }
    let free = free(ranges, owner, at: path)
    if !free.isEmpty { routes.append(Route(ranges: free, proxy: proxy)) }
  }

  /// Whether a match is about connections of this proxy on this port; names and addresses are
  /// compared by Envoy.
  private func applies(
    _ match: VirtualService.ConnectionMatch, in object: VirtualService
  ) -> Bool {
    if let number = match.port, number != UInt32(port.number) { return false }
    if !match.gateways.isEmpty, !match.gateways.contains(VirtualService.mesh) { return false }
    if !match.sourceNamespace.isEmpty, match.sourceNamespace != scope.proxy.namespace {
      return false
    }
    return LabelSelector(matchLabels: match.sourceLabels).matches(scope.proxy.labels)
  }

  /// Nil where every address is meant.
  private static func ranges(_ subnets: [String]) -> [AddressRange]? {
    let ranges = subnets.compactMap(AddressRange.init)
    return ranges.isEmpty || ranges.contains(where: \.isEverything) ? nil : ranges
  }
}

/// Envoy refuses a listener that has the same condition twice.
extension OutboundStreams {
  /// The names that nothing takes yet for the addresses.
  private mutating func claim(
    _ names: [String], _ ranges: [AddressRange], _ owner: Owner, at path: FieldPath?
  ) -> [String] {
    let keys: [AddressRange?] = ranges.isEmpty ? [nil] : ranges
    return names.filter { name in
      if let former = keys.compactMap({ owners[name]?[$0] }).first {
        report(
          name.isEmpty ? ranges.map(\.description).joined(separator: ", ") : name, owner, former,
          at: path)
        return false
      }
      for key in keys { owners[name, default: [:]][key] = owner }
      return true
    }
  }

  /// The ranges that nothing takes yet, whatever the name.
  private mutating func free(
    _ ranges: [AddressRange], _ owner: Owner, at path: FieldPath?
  ) -> [AddressRange] {
    ranges.filter { !claim([""], [$0], owner, at: path).isEmpty }
  }

  private mutating func report(
    _ subject: String, _ owner: Owner, _ former: Owner, at path: FieldPath?
  ) {
    // The routes of a service come before itself, and those of several services are the same.
    let isKnown =
      path == nil
      ? owner.hostname == former.hostname
      : owner.object == former.object && owner.hostname != former.hostname
    guard !isKnown else { return }
    let place = former.object.map { "\($0)" } ?? former.hostname
    problems.append(
      ConfigError(
        .conflict, severity: .warning, object: owner.object, at: path ?? FieldPath(),
        reason: "\(subject) on port \(port.number) is already taken by \(place); it is left out"))
  }
}
