// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// LDS of a sidecar: the two listeners that the redirection rules send everything to, and one for
/// each port that services are reached on.
struct SidecarListeners {
  let scope: ProxyScope
  private(set) var listeners: [ListenerDraft] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope, ports: OutboundPorts, _ virtualServices: VirtualServiceIndex) {
    self.scope = scope
    problems = ports.problems
    let inbound = scope.inboundPorts
    if scope.isIntercepted {
      listeners = [virtualOutbound(), virtualInbound(inbound.filter { $0.bind == nil })]
    }
    listeners += inbound.compactMap(ownInbound)
    listeners += ports.http.map(outboundHTTP)
    let index = StreamRouteIndex(virtualServices)
    for port in ports.streams {
      let streams = OutboundStreams(port, scope, index)
      problems += streams.problems
      listeners.append(outboundStreams(port, streams))
    }
  }

  /// Hands each connection to the listener of its original port; what has none goes where it was
  /// going, or nowhere with outboundTrafficPolicy REGISTRY_ONLY.
  private func virtualOutbound() -> ListenerDraft {
    let port = scope.mesh.meshConfig.proxyListenPort
    return ListenerDraft(
      message: Envoy.Listener.with {
        $0.name = "virtualOutbound"
        $0.address = Envoy.address("0.0.0.0", port: port)
        $0.trafficDirection = .outbound
        $0.useOriginalDst = Google_Protobuf_BoolValue(true)
      }, port: port, context: .sidecarOutbound,
      chains: [blackHole(named: "virtualOutbound-blackhole", port: port)],
      defaultChain: tcpChain(named: "virtualOutbound-catchall-tcp", to: unknownTraffic),
      origins: [])
  }

  /// Where connections to unknown hosts go.
  var unknownTraffic: String {
    scope.allowsAnyOutbound ? ClusterName.passthrough : ClusterName.blackHole
  }

  /// The listener of an HTTP port, for whatever host a request names.
  private func outboundHTTP(_ port: OutboundPorts.HTTPPort) -> ListenerDraft {
    let (manager, plugins) = outboundManager(
      "0.0.0.0_\(port.number)", routes: "\(port.number)", port.number)
    return outbound(
      "0.0.0.0", port.number, port.egress,
      chains: [httpChain(named: "", port: nil, manager, plugins)],
      origins: port.services.flatMap(\.origins) + plugins.origins)
  }

  /// The listener of a port that is not HTTP, or of which nobody says whether it is.
  private func outboundStreams(
    _ port: OutboundPorts.StreamPort, _ streams: OutboundStreams
  ) -> ListenerDraft {
    let plugins = outboundPlugins(port.number)
    let name = "\(port.address)_\(port.number)"
    func chain(_ route: OutboundStreams.Route) -> FilterChainDraft {
      var chain = tcpChain(named: route.name, route.proxy, after: plugins.networkFilters)
      if !route.serverNames.isEmpty {
        chain.message.filterChainMatch.serverNames = route.serverNames
      }
      if !route.ranges.isEmpty {
        chain.message.filterChainMatch.prefixRanges = route.ranges.map(\.message)
      }
      return chain
    }
    let detected = port.members.filter { $0.reading == .detected }
    var chains = detected.map { member in
      let (manager, _) = outboundManager(
        name, routes: SidecarRoutes.name(member.service, port.number), port.number)
      var http = httpChain(named: "", port: nil, manager, plugins)
      http.message.filterChainMatch.applicationProtocols = Self.detectedProtocols
      http.message.filterChainMatch.prefixRanges = member.ranges.map(\.message)
      return http
    }
    chains += streams.routes.map(chain)
    var rest = streams.rest.map(chain)
    if let last = rest, detected.isEmpty {
      chains.append(last)
      rest = nil
    } else if rest == nil {
      rest = tcpChain(
        named: "PassthroughFilterChain", to: unknownTraffic, after: plugins.networkFilters)
    }
    var listener = outbound(
      port.address, port.number, port.egress, chains: chains,
      origins: port.members.flatMap(\.service.origins) + streams.origins + plugins.origins)
    listener.defaultChain = rest
    if streams.routes.contains(where: { !$0.serverNames.isEmpty }) {
      inspectTLS(&listener.message)
    }
    if !detected.isEmpty { inspect(&listener.message, only: nil) }
    return listener
  }

  private func outboundPlugins(_ port: UInt16) -> PluginChain {
    PluginChain(
      scope, for: PluginChain.Traffic(direction: .client, port: port))
  }

  private func outboundManager(
    _ name: String, routes: String, _ port: UInt16
  ) -> (Envoy.HTTPConnectionManager, PluginChain) {
    let plugins = outboundPlugins(port)
    var manager = HTTPConnectionManager.base(meshConfig: scope.mesh.meshConfig)
    manager.statPrefix = "outbound_\(name)"
    manager.useRemoteAddress = Google_Protobuf_BoolValue(false)
    manager.rds.routeConfigName = routes
    manager.rds.configSource = Envoy.aggregatedSource
    manager.httpFilters = HTTPConnectionManager.filters(plugins)
    return (manager, plugins)
  }

  /// A listener that only gets connections from `virtualOutbound`, unless nothing redirects them.
  private func outbound(
    _ address: String, _ port: UInt16, _ egress: EgressScope, chains: [FilterChainDraft],
    origins: [Origin]
  ) -> ListenerDraft {
    let isOpened = !scope.isIntercepted || egress.listener?.captureMode == Sidecar.CaptureMode.none
    let bind = egress.listener?.bind ?? ""
    let wildcard = isOpened ? "127.0.0.1" : "0.0.0.0"
    let address = bind.isEmpty ? (address == "0.0.0.0" ? wildcard : address) : bind
    var origins = origins
    if let sidecar = scope.sidecar, let listener = egress.listener, listener.port != nil {
      origins.append(sidecar.origin(at: listener.path))
    }
    return ListenerDraft(
      message: Envoy.Listener.with {
        $0.name = "\(address)_\(port)"
        $0.address = Envoy.address(address, port: port)
        $0.trafficDirection = .outbound
        if !isOpened { $0.bindToPort = Google_Protobuf_BoolValue(false) }
      }, port: port, context: .sidecarOutbound, chains: chains, origins: origins)
  }
}
