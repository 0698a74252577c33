// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// LDS of a gateway: one listener for each port that its Gateways open.
enum GatewayListeners {
  static func listener(for port: GatewayPort, in scope: ProxyScope) -> ListenerDraft {
    var message = Envoy.Listener()
    message.name = port.listenerName
    message.address = Envoy.address(port.address, port: port.number)
    message.trafficDirection = .outbound

    // The port of the workload, not of the Service: what `match.ports` of plugins means in Istio.
    let traffic = PluginChain.Traffic(direction: .client, port: port.number)
    let plugins = PluginChain(scope.wasmPlugins, for: traffic)

    var manager = HTTPConnectionManager.base(meshConfig: scope.mesh.meshConfig)
    let serverName = port.servers.lazy.map(\.server.name).first { !$0.isEmpty }
    manager.statPrefix = serverName ?? "outbound_\(port.listenerName)"
    manager.rds.routeConfigName = port.routeName
    manager.rds.configSource = Envoy.aggregatedSource
    manager.useRemoteAddress = Google_Protobuf_BoolValue(true)
    manager.forwardClientCertDetails = .sanitizeSet
    manager.setCurrentClientCertDetails.subject = Google_Protobuf_BoolValue(true)
    manager.setCurrentClientCertDetails.cert = true
    manager.setCurrentClientCertDetails.dns = true
    manager.setCurrentClientCertDetails.uri = true
    manager.httpFilters = HTTPConnectionManager.filters(plugins)

    let chain = FilterChainDraft(
      message: Envoy.FilterChain(),
      filters: plugins.networkFilters.map(NetworkFilterDraft.other)
        + [.httpConnectionManager(name: FilterName.httpConnectionManager, manager)])
    return ListenerDraft(
      message: message, port: port.number, context: .gateway, chains: [chain],
      origins: port.servers.map(\.origin) + plugins.origins)
  }
}
