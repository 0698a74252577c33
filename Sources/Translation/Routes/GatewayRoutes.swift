// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// RDS of a gateway: a route configuration for each port of plain HTTP and each HTTPS server.
struct GatewayRoutes {
  let scope: ProxyScope
  let virtualServices: VirtualServiceIndex
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope, _ virtualServices: VirtualServiceIndex) {
    self.scope = scope
    self.virtualServices = virtualServices
  }

  mutating func configurations(for port: GatewayPort) -> [RouteConfigurationDraft] {
    port.routeConfigurations.map { configuration(named: $0.name, of: $0.servers) }
  }

  private mutating func configuration(
    named name: String, of servers: [GatewayPort.Server]
  ) -> RouteConfigurationDraft {
    var table = VirtualHostTable()
    for server in servers { add(server, to: &table) }
    if table.isEmpty, let server = servers.first {
      table.addBlackHole(port: server.server.port)
    }
    return table.configuration(named: name, origins: servers.map(\.origin), in: scope)
  }

  /// Adds the VirtualServices of one server; where several name a host, their routes follow each
  /// other, the oldest first.
  private mutating func add(_ server: GatewayPort.Server, to table: inout VirtualHostTable) {
    let isRedirected = server.server.tls?.httpsRedirect ?? false
    var matchers: [String: HostMatcher] = [:]
    for virtualService in virtualServices[server.gatewayName] {
      let namespace = virtualService.object.meta.namespace
      let matcher = matchers[namespace] ?? HostMatcher(server, for: namespace)
      matchers[namespace] = matcher
      let hosts = matcher.intersection(with: virtualService.hosts)
      guard !hosts.isEmpty else { continue }
      let routes = scope.routes(
        of: virtualService, port: server.server.port, gateway: server.gatewayName,
        isTLS: !server.server.portProtocol.isPlainHTTP)
      problems += routes.problems
      // As in Istio, a VirtualService of which nothing is left opens no virtual host.
      guard !routes.list.isEmpty else { continue }
      table.origins += routes.origins
      for host in hosts {
        table.append(
          routes.list, to: host, port: server.server.port, requiresTLS: isRedirected)
      }
    }
    guard isRedirected else { return }
    // Hosts without routes redirect all the same.
    for host in server.server.hosts {
      table.append(nil, to: host.dnsName, port: server.server.port, requiresTLS: true)
    }
  }
}
