// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// LDS of a gateway: the listener of one port, with a filter chain for each server or SNI route.
struct GatewayListener {
  let port: GatewayPort
  let scope: ProxyScope
  /// Nil where nothing could be done with any connection.
  private(set) var draft: ListenerDraft?
  private(set) var problems: [ConfigError] = []

  private let plugins: PluginChain

  init(_ port: GatewayPort, _ scope: ProxyScope, _ virtualServices: VirtualServiceIndex) {
    self.port = port
    self.scope = scope
    // The port of the workload, not of the Service: what `match.ports` of plugins means in Istio.
    plugins = PluginChain(
      scope, for: PluginChain.Traffic(direction: .client, port: port.number))

    var streams = GatewayStreams(port, scope, virtualServices)
    var chains: [FilterChainDraft] = []
    if port.servers.first?.traffic == .http {
      chains = port.routeConfigurations.map { httpChain($0.servers, routes: $0.name) }
    } else {
      let routes = Dictionary(
        uniqueKeysWithValues: port.routeConfigurations.flatMap { configuration in
          configuration.servers.map { ($0.origin, configuration.name) }
        })
      for server in port.servers {
        if let name = routes[server.origin] {
          chains.append(httpChain([server], routes: name))
        } else {
          chains += streams.routes(of: server).map { streamChain($0, of: server) }
        }
      }
    }
    problems = streams.problems
    guard !chains.isEmpty else { return }
    var message = Envoy.Listener()
    message.name = port.listenerName
    message.address = Envoy.address(port.address, port: port.number)
    message.trafficDirection = .outbound
    // Chains are chosen by SNI, which is read from the first bytes of the client.
    if port.servers.contains(where: \.server.portProtocol.isTLS) {
      message.listenerFilters = [Self.tlsInspector]
    }
    draft = ListenerDraft(
      message: message, port: port.number, context: .gateway, chains: chains,
      origins: port.servers.map(\.origin) + streams.origins + plugins.origins)
  }

  private func httpChain(
    _ servers: [GatewayPort.Server], routes: String
  ) -> FilterChainDraft {
    var manager = HTTPConnectionManager.base(meshConfig: scope.mesh.meshConfig)
    let serverName = servers.lazy.map(\.server.name).first { !$0.isEmpty }
    manager.statPrefix = serverName ?? "outbound_\(port.listenerName)"
    manager.rds.routeConfigName = routes
    manager.rds.configSource = Envoy.aggregatedSource
    manager.useRemoteAddress = Google_Protobuf_BoolValue(true)
    let topology =
      scope.proxy.gatewayTopology ?? scope.mesh.meshConfig.defaultConfig.gatewayTopology
    manager.xffNumTrustedHops = topology?.trustedProxies ?? 0
    manager.forwardClientCertDetails = Self.details(topology)
    manager.setCurrentClientCertDetails.subject = Google_Protobuf_BoolValue(true)
    manager.setCurrentClientCertDetails.cert = true
    manager.setCurrentClientCertDetails.dns = true
    manager.setCurrentClientCertDetails.uri = true
    manager.httpFilters = HTTPConnectionManager.filters(plugins)
    var message = Envoy.FilterChain()
    if let server = servers.first { decrypt(server, into: &message) }
    return FilterChainDraft(
      message: message,
      filters: plugins.networkFilters.map(NetworkFilterDraft.other)
        + [.httpConnectionManager(name: FilterName.httpConnectionManager, manager)])
  }

  private func streamChain(
    _ route: GatewayStreams.Route, of server: GatewayPort.Server
  ) -> FilterChainDraft {
    var message = Envoy.FilterChain()
    decrypt(server, into: &message)
    if !route.serverNames.isEmpty {
      message.filterChainMatch.serverNames = route.serverNames
    }
    if !route.applicationProtocols.isEmpty {
      message.filterChainMatch.applicationProtocols = route.applicationProtocols
    }
    var proxy = route.proxy
    proxy.accessLog = AccessLogs.file(scope.mesh.meshConfig)
    let last = Envoy.NetworkFilter.with {
      $0.name = FilterName.tcpProxy
      $0.typedConfig = proxy.packed()
    }
    return FilterChainDraft(
      message: message,
      filters: (plugins.networkFilters + [last]).map(NetworkFilterDraft.other))
  }

  /// Makes a chain take the connections of a server that ends their encryption.
  private func decrypt(_ server: GatewayPort.Server, into chain: inout Envoy.FilterChain) {
    guard let tls = server.server.tls, tls.mode.terminates, server.server.portProtocol.isTLS else {
      return
    }
    let names = server.serverNames
    if names != ["*"] { chain.filterChainMatch.serverNames = names }
    chain.transportSocket = GatewayTLS.transportSocket(tls)
  }

  private static func details(
    _ topology: GatewayTopology?
  ) -> Envoy.HTTPConnectionManager.ForwardClientCertDetails {
    switch topology?.clientCertificateDetails {
    case nil, .undefined, .sanitizeSet: .sanitizeSet
    case .sanitize: .sanitize
    case .forwardOnly: .forwardOnly
    case .appendForward: .appendForward
    case .alwaysForwardOnly: .alwaysForwardOnly
    }
  }

  private static let tlsInspector = Envoy.ListenerFilter.with {
    $0.name = FilterName.tlsInspector
    $0.typedConfig =
      Envoy_Extensions_Filters_Listener_TlsInspector_V3_TlsInspector().packed()
  }
}
