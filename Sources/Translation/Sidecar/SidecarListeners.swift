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
    listeners = [virtualOutbound(), virtualInbound()]
    listeners += ports.http.map { outboundHTTP($0, $1) }
    listeners += ports.tcp.map(outboundTCP)
  }

  /// Hands each connection to the listener of its original port; what has none goes where it was
  /// going, or nowhere with outboundTrafficPolicy REGISTRY_ONLY.
  private func virtualOutbound() -> ListenerDraft {
    let cluster =
      scope.mesh.meshConfig.allowsAnyOutbound ? ClusterName.passthrough : ClusterName.blackHole
    return ListenerDraft(
      message: Envoy.Listener.with {
        $0.name = "virtualOutbound"
        $0.address = Envoy.address("0.0.0.0", port: Self.outboundPort)
        $0.trafficDirection = .outbound
        $0.useOriginalDst = Google_Protobuf_BoolValue(true)
      }, port: Self.outboundPort, context: .sidecarOutbound,
      chains: [blackHole(named: "virtualOutbound-blackhole", port: Self.outboundPort)],
      defaultChain: tcpChain(named: "virtualOutbound-catchall-tcp", to: cluster), origins: [])
  }

  /// One chain for each port of the workload that a service leads to, by original destination.
  private func virtualInbound() -> ListenerDraft {
    var chains = [blackHole(named: "virtualInbound-blackhole", port: Self.inboundPort)]
    var origins: [Origin] = []
    for (port, instances) in scope.inboundPorts where port != Self.inboundPort {
      origins += scope.origins(of: instances)
      chains.append(inbound(port, instances, noting: &origins))
    }
    return ListenerDraft(
      message: Envoy.Listener.with {
        $0.name = "virtualInbound"
        $0.address = Envoy.address("0.0.0.0", port: Self.inboundPort)
        $0.trafficDirection = .inbound
        $0.listenerFilters = [Self.originalDestination]
      }, port: Self.inboundPort, context: .sidecarInbound, chains: chains,
      defaultChain: tcpChain(
        named: "virtualInbound-catchall", to: ClusterName.inboundPassthrough),
      origins: origins)
  }

  private func inbound(
    _ port: UInt16, _ instances: [ProxyClass.ServiceInstance], noting origins: inout [Origin]
  ) -> FilterChainDraft {
    let traffic = PluginChain.Traffic(direction: .server, port: port)
    let plugins = PluginChain(scope, for: traffic)
    origins += plugins.origins
    let cluster = ClusterName.inbound(port: port)
    let name = "0.0.0.0_\(port)"
    guard instances.contains(where: \.portProtocol.isHTTP) else {
      return tcpChain(named: name, to: cluster, port: port, after: plugins.networkFilters)
    }
    var manager = HTTPConnectionManager.base(meshConfig: scope.mesh.meshConfig)
    manager.statPrefix = "inbound_\(name)"
    manager.forwardClientCertDetails = .appendForward
    manager.routeConfig = SidecarRoutes.inbound(to: cluster, port: port)
    manager.httpFilters = HTTPConnectionManager.filters(plugins)
    return httpChain(named: name, port: port, manager, plugins)
  }

  private func outboundHTTP(_ port: UInt16, _ services: [Service]) -> ListenerDraft {
    let traffic = PluginChain.Traffic(direction: .client, port: port)
    let plugins = PluginChain(scope, for: traffic)
    let name = "0.0.0.0_\(port)"
    var manager = HTTPConnectionManager.base(meshConfig: scope.mesh.meshConfig)
    manager.statPrefix = "outbound_\(name)"
    manager.useRemoteAddress = Google_Protobuf_BoolValue(false)
    manager.rds.routeConfigName = "\(port)"
    manager.rds.configSource = Envoy.aggregatedSource
    manager.httpFilters = HTTPConnectionManager.filters(plugins)
    return ListenerDraft(
      message: outbound(name, "0.0.0.0", port), port: port, context: .sidecarOutbound,
      chains: [httpChain(named: "", port: nil, manager, plugins)],
      origins: services.flatMap(\.origins) + plugins.origins)
  }

  private func outboundTCP(_ port: OutboundPorts.TCPPort) -> ListenerDraft {
    let traffic = PluginChain.Traffic(direction: .client, port: port.number)
    let plugins = PluginChain(scope, for: traffic)
    let cluster = ClusterName.outbound(port: port.number, host: port.service.hostname)
    return ListenerDraft(
      message: outbound("\(port.address)_\(port.number)", port.address, port.number),
      port: port.number, context: .sidecarOutbound,
      chains: [tcpChain(named: "", to: cluster, after: plugins.networkFilters)],
      origins: port.service.origins + plugins.origins)
  }

  /// A listener that only gets connections from `virtualOutbound`.
  private func outbound(_ name: String, _ address: String, _ port: UInt16) -> Envoy.Listener {
    Envoy.Listener.with {
      $0.name = name
      $0.address = Envoy.address(address, port: port)
      $0.trafficDirection = .outbound
      $0.bindToPort = Google_Protobuf_BoolValue(false)
    }
  }
}

extension SidecarListeners {
  private static let originalDestination = Envoy.ListenerFilter.with {
    $0.name = FilterName.originalDestination
    $0.typedConfig = Envoy_Extensions_Filters_Listener_OriginalDst_V3_OriginalDst().packed()
  }

  private func httpChain(
    named name: String, port: UInt16?, _ manager: Envoy.HTTPConnectionManager,
    _ plugins: PluginChain
  ) -> FilterChainDraft {
    FilterChainDraft(
      message: chain(named: name, port: port),
      filters: plugins.networkFilters.map(NetworkFilterDraft.other)
        + [.httpConnectionManager(name: FilterName.httpConnectionManager, manager)])
  }

  private func tcpChain(
    named name: String, to cluster: String, port: UInt16? = nil,
    after filters: [Envoy.NetworkFilter] = []
  ) -> FilterChainDraft {
    let proxy = Envoy.TCPProxy.with {
      $0.statPrefix = cluster
      $0.cluster = cluster
      $0.accessLog = AccessLogs.file(scope.mesh.meshConfig)
    }
    let last = Envoy.NetworkFilter.with {
      $0.name = FilterName.tcpProxy
      $0.typedConfig = proxy.packed()
    }
    return FilterChainDraft(
      message: chain(named: name, port: port),
      filters: (filters + [last]).map(NetworkFilterDraft.other))
  }

  /// A connection to the proxy's own port would come back to it for ever.
  private func blackHole(named name: String, port: UInt16) -> FilterChainDraft {
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
