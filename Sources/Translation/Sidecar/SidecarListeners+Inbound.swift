// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Connections to the workload.
extension SidecarListeners {
  /// One chain for each port of the workload that a service leads to, by original destination.
  func virtualInbound(_ ports: [InboundPort]) -> ListenerDraft {
    let inboundPort = scope.mesh.meshConfig.proxyInboundListenPort
    var chains = [blackHole(named: "virtualInbound-blackhole", port: inboundPort)]
    var origins: [Origin] = []
    for port in ports where port.number != inboundPort {
      chains += inboundChains(port, match: port.number, noting: &origins)
    }
    var listener = ListenerDraft(
      message: Envoy.Listener.with {
        $0.name = "virtualInbound"
        $0.address = Envoy.address("0.0.0.0", port: inboundPort)
        $0.trafficDirection = .inbound
        $0.listenerFilters = [Self.originalDestination]
      }, port: inboundPort, context: .sidecarInbound, chains: chains,
      defaultChain: tcpChain(
        named: "virtualInbound-catchall", to: ClusterName.inboundPassthrough),
      origins: origins)
    let detected = ports.filter { $0.reading == .detected }.map(\.number)
    if !detected.isEmpty { inspect(&listener.message, only: detected) }
    return listener
  }

  /// A listener for clients that connect to the proxy itself; nil for a port that is redirected.
  func ownInbound(_ port: InboundPort) -> ListenerDraft? {
    guard let bind = port.bind else { return nil }
    var origins: [Origin] = []
    let chains = inboundChains(port, match: nil, noting: &origins)
    var listener = ListenerDraft(
      message: Envoy.Listener.with {
        $0.name = "\(bind)_\(port.number)"
        $0.address = Envoy.address(bind, port: port.number)
        $0.trafficDirection = .inbound
      }, port: port.number, context: .sidecarInbound, chains: chains, origins: origins)
    if port.reading == .detected { inspect(&listener.message, only: nil) }
    return listener
  }

  private func inboundChains(
    _ port: InboundPort, match: UInt16?, noting origins: inout [Origin]
  ) -> [FilterChainDraft] {
    let traffic = PluginChain.Traffic(direction: .server, port: port.number)
    let plugins = PluginChain(scope, for: traffic)
    origins += port.origins + plugins.origins
    let cluster = ClusterName.inbound(port: port.number)
    let name = "0.0.0.0_\(port.number)"
    let tcp = tcpChain(named: name, to: cluster, port: match, after: plugins.networkFilters)
    if port.reading == .tcp { return [tcp] }
    var manager = HTTPConnectionManager.base(meshConfig: scope.mesh.meshConfig)
    manager.statPrefix = "inbound_\(name)"
    manager.forwardClientCertDetails = .appendForward
    manager.routeConfig = SidecarRoutes.inbound(to: cluster, port: port.number)
    manager.httpFilters = HTTPConnectionManager.filters(plugins)
    var http = httpChain(named: name, port: match, manager, plugins)
    guard port.reading == .detected else { return [http] }
    http.message.filterChainMatch.applicationProtocols = Self.detectedProtocols
    return [http, tcp]
  }
}

/// What the chains of both directions are made of.
extension SidecarListeners {
  /// What the HTTP inspector finds.
  static let detectedProtocols = ["http/1.1", "h2c"]

  private static let originalDestination = Envoy.ListenerFilter.with {
    $0.name = FilterName.originalDestination
    $0.typedConfig = Envoy_Extensions_Filters_Listener_OriginalDst_V3_OriginalDst().packed()
  }

  private static let tlsInspector = Envoy.ListenerFilter.with {
    $0.name = "envoy.filters.listener.tls_inspector"
    $0.typedConfig = Envoy_Extensions_Filters_Listener_TlsInspector_V3_TlsInspector().packed()
  }

  /// Looks for the name that clients greet with.
  func inspectTLS(_ listener: inout Envoy.Listener) {
    listener.listenerFilters.append(Self.tlsInspector)
    waitForFirstBytes(&listener)
  }

  /// Looks whether connections begin as HTTP does.
  ///
  /// A server that speaks first would wait for its client for ever, so where ports are named, the
  /// connections to others are left alone.
  func inspect(_ listener: inout Envoy.Listener, only ports: [UInt16]?) {
    var inspector = Envoy.ListenerFilter.with {
      $0.name = "envoy.filters.listener.http_inspector"
      $0.typedConfig = Envoy_Extensions_Filters_Listener_HttpInspector_V3_HttpInspector().packed()
    }
    if let ports {
      typealias Predicate = Envoy_Config_Listener_V3_ListenerFilterChainMatchPredicate
      let matches = ports.map { port in
        Predicate.with {
          $0.destinationPortRange.start = Int32(port)
          $0.destinationPortRange.end = Int32(port) + 1
        }
      }
      inspector.filterDisabled.notMatch =
        matches.count == 1 ? matches[0] : Predicate.with { $0.orMatch.rules = matches }
    }
    listener.listenerFilters.append(inspector)
    waitForFirstBytes(&listener)
  }

  /// As in Istio, then takes connections without them for what matches in that case.
  private func waitForFirstBytes(_ listener: inout Envoy.Listener) {
    listener.listenerFiltersTimeout = Google_Protobuf_Duration(
      scope.mesh.meshConfig.protocolDetectionTimeout)
    listener.continueOnListenerFiltersTimeout = true
  }

  func httpChain(
    named name: String, port: UInt16?, _ manager: Envoy.HTTPConnectionManager,
    _ plugins: PluginChain
  ) -> FilterChainDraft {
    FilterChainDraft(
      message: chain(named: name, port: port),
      filters: plugins.networkFilters.map(NetworkFilterDraft.other)
        + [.httpConnectionManager(name: FilterName.httpConnectionManager, manager)])
  }

  func tcpChain(
    named name: String, to cluster: String, port: UInt16? = nil,
    after filters: [Envoy.NetworkFilter] = []
  ) -> FilterChainDraft {
    let proxy = Envoy.TCPProxy.with {
      $0.statPrefix = cluster
      $0.cluster = cluster
    }
    return tcpChain(named: name, proxy, port: port, after: filters)
  }

  func tcpChain(
    named name: String, _ proxy: Envoy.TCPProxy, port: UInt16? = nil,
    after filters: [Envoy.NetworkFilter] = []
  ) -> FilterChainDraft {
    var proxy = proxy
    proxy.accessLog = AccessLogs.file(scope.mesh.meshConfig)
    let last = Envoy.NetworkFilter.with {
      $0.name = FilterName.tcpProxy
      $0.typedConfig = proxy.packed()
    }
    return FilterChainDraft(
      message: chain(named: name, port: port),
      filters: (filters + [last]).map(NetworkFilterDraft.other))
  }

  /// A connection to the proxy's own port would come back to it for ever.
  func blackHole(named name: String, port: UInt16) -> FilterChainDraft {
    tcpChain(named: name, to: ClusterName.blackHole, port: port)
  }

  private func chain(named name: String, port: UInt16?) -> Envoy.FilterChain {
    Envoy.FilterChain.with {
      $0.name = name
      if let port {
        $0.filterChainMatch.destinationPort = Google_Protobuf_UInt32Value(UInt32(port))
      }
    }
  }
}
