// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// LDS of a sidecar: the two listeners that the redirection rules send everything to, and one for
/// each port that services are reached on.
struct SidecarListeners {
  /// Where connections of the workload are redirected to (Istio's `proxyListenPort`).
  static let outboundPort: UInt16 = 15001
  /// Where connections to the workload are redirected to (Istio's `proxyInboundListenPort`).
  static let inboundPort: UInt16 = 15006

  let scope: ProxyScope
  private(set) var listeners: [ListenerDraft] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope, ports: OutboundPorts) {
    self.scope = scope
    problems = ports.problems
    let inbound = scope.inboundPorts
    if scope.isIntercepted {
      listeners = [virtualOutbound(), virtualInbound(inbound.filter { $0.bind == nil })]
    }
    listeners += inbound.compactMap(ownInbound)
    listeners += ports.http.map(outboundHTTP)
    listeners += ports.tls.map(outboundTLS)
    listeners += ports.tcp.map(outboundTCP)
  }

  /// Hands each connection to the listener of its original port; what has none goes where it was
  /// going, or nowhere with outboundTrafficPolicy REGISTRY_ONLY.
  private func virtualOutbound() -> ListenerDraft {
    ListenerDraft(
      message: Envoy.Listener.with {
        $0.name = "virtualOutbound"
        $0.address = Envoy.address("0.0.0.0", port: Self.outboundPort)
        $0.trafficDirection = .outbound
        $0.useOriginalDst = Google_Protobuf_BoolValue(true)
      }, port: Self.outboundPort, context: .sidecarOutbound,
      chains: [blackHole(named: "virtualOutbound-blackhole", port: Self.outboundPort)],
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

  /// The listener of a TLS port, for whatever host a client greets.
  private func outboundTLS(_ port: OutboundPorts.TLSPort) -> ListenerDraft {
    let plugins = outboundPlugins(port.number)
    let chains = port.services.map { service in
      var chain = tcpChain(
        named: service.hostname,
        to: ClusterName.outbound(port: port.number, host: service.hostname),
        after: plugins.networkFilters)
      chain.message.filterChainMatch.serverNames = [service.hostname]
      return chain
    }
    var listener = outbound(
      "0.0.0.0", port.number, port.egress, chains: chains,
      origins: port.services.flatMap(\.origins) + plugins.origins)
    listener.message.listenerFilters = [Self.tlsInspector]
    listener.defaultChain = tcpChain(
      named: "PassthroughFilterChain", to: unknownTraffic, after: plugins.networkFilters)
    return listener
  }

  private func outboundTCP(_ port: OutboundPorts.TCPPort) -> ListenerDraft {
    let plugins = outboundPlugins(port.number)
    let name = "\(port.address)_\(port.number)"
    let cluster = ClusterName.outbound(port: port.number, host: port.service.hostname)
    let tcp = tcpChain(named: "", to: cluster, after: plugins.networkFilters)
    guard port.isDetected else {
      return outbound(
        port.address, port.number, port.egress, chains: [tcp],
        origins: port.service.origins + plugins.origins)
    }
    let (manager, _) = outboundManager(
      name, routes: SidecarRoutes.name(port.service, port.number), port.number)
    var http = httpChain(named: "", port: nil, manager, plugins)
    http.message.filterChainMatch.applicationProtocols = Self.detectedProtocols
    var listener = outbound(
      port.address, port.number, port.egress, chains: [http],
      origins: port.service.origins + plugins.origins)
    listener.defaultChain = tcp
    Self.inspect(&listener.message, only: nil)
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
