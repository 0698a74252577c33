// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Where a gateway forwards connections that it does not look into: `tcp` and `tls` of VirtualServices.
///
/// As in Istio, a server takes the first `tcp` route that matches, and every `tls` match whose names
/// are still free on the port. Conditions on the client's workload and on subnets have no effect at
/// gateways.
struct GatewayStreams {
  /// A filter chain to be.
  struct Route {
    /// Empty for all names, and where the chain's server decides.
    var serverNames: [String]
    /// By ALPN; empty for all.
    var applicationProtocols: [String] = []
    var proxy: Envoy.TCPProxy
  }

  let port: GatewayPort
  let scope: ProxyScope
  let virtualServices: VirtualServiceIndex
  /// The VirtualServices that were used.
  private(set) var origins: [Origin] = []
  private(set) var problems: [ConfigError] = []
  /// What already takes the connections for a name.
  private var owners: [String: String] = [:]

  init(_ port: GatewayPort, _ scope: ProxyScope, _ virtualServices: VirtualServiceIndex) {
    self.port = port
    self.scope = scope
    self.virtualServices = virtualServices
    for server in port.servers where server.traffic == .https || server.traffic == .decryptedTCP {
      for name in server.serverNames { owners[name] = "\(server.gateway.ref)" }
    }
  }

  /// Where the connections of a server go; none where no VirtualService says it.
  mutating func routes(of server: GatewayPort.Server) -> [Route] {
    if server.traffic == .autoPassthrough { return serviceRoutes(of: server) }
    let isPassthrough = server.traffic == .passthrough
    let found = isPassthrough ? sniRoutes(of: server) : tcpRoute(of: server).map { [$0] } ?? []
    if found.isEmpty {
      problems.append(
        ConfigError(
          .notFound, severity: .warning, object: server.gateway.ref, at: server.server.path,
          reason: "no \(isPassthrough ? "tls" : "tcp") route of a VirtualService for "
            + "\(server.gatewayName) applies; the server takes no connections"))
    }
    return found
  }

  /// What Istio's proxies say to each other in ALPN.
  private static let meshProtocols = [
    "istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2",
  ]

  /// One for each port of the services of the mesh among the hosts, and for each of their subsets.
  private mutating func serviceRoutes(of server: GatewayPort.Server) -> [Route] {
    let hosts = server.server.hosts.map(\.dnsName)
    var routes: [Route] = []
    for service in scope.services.all
    // Envoy takes no name with a wildcard inside.
    where service.isMeshInternal && !service.hostname.hasPrefix("*")
      && hosts.contains(where: { Hostname.isSubset(service.hostname, of: $0) })
    {
      origins += service.origins
      let entry = scope.destinations.entry(for: service)
      for destination in Destination.all(of: service, entry, passesOn: true) {
        let name = destination.clusterName
        guard owners.updateValue("\(server.gateway.ref)", forKey: name.lowercased()) == nil else {
          continue
        }
        routes.append(
          Route(
            serverNames: [name.lowercased()], applicationProtocols: Self.meshProtocols,
            proxy: Envoy.TCPProxy.with {
              $0.cluster = name
              $0.statPrefix = name
            }))
      }
    }
    if routes.isEmpty {
      problems.append(
        ConfigError(
          .notFound, severity: .warning, object: server.gateway.ref,
          at: server.server.path["hosts"],
          reason: "no service of the mesh is among the hosts; the server takes no connections"))
    }
    return routes
  }

  private mutating func tcpRoute(of server: GatewayPort.Server) -> Route? {
    for virtualService in bound(to: server) {
      let object = virtualService.object
      let route = object.tcp.first { route in
        route.matches.isEmpty || route.matches.contains { $0.applies(to: server, in: object) }
      }
      guard let route else { continue }
      origins.append(object.origin(at: route.path))
      return Route(serverNames: [], proxy: proxy(route, of: object, server))
    }
    return nil
  }

  private mutating func sniRoutes(of server: GatewayPort.Server) -> [Route] {
    var routes: [Route] = []
    for virtualService in bound(to: server) {
      let object = virtualService.object
      for route in object.tls {
        for (index, match) in route.matches.enumerated() where match.applies(to: server, in: object)
        {
          let names = free(match, of: object, at: route.path["match"][index]["sniHosts"])
          guard !names.isEmpty else { continue }
          origins.append(object.origin(at: route.path))
          routes.append(
            Route(
              serverNames: names == ["*"] ? [] : names, proxy: proxy(route, of: object, server)))
        }
      }
    }
    return routes
  }

  /// The VirtualServices of a server that share a host with it, oldest first.
  private func bound(to server: GatewayPort.Server) -> [ResolvedVirtualService] {
    virtualServices[server.gatewayName].filter { virtualService in
      let object = virtualService.object
      guard !object.tcp.isEmpty || !object.tls.isEmpty else { return false }
      return !HostMatcher(server, for: object.meta.namespace)
        .intersection(with: virtualService.hosts).isEmpty
    }
  }

  /// The names of a match that nothing takes yet: Envoy refuses a listener with a name twice.
  private mutating func free(
    _ match: VirtualService.ConnectionMatch, of object: VirtualService, at path: FieldPath
  ) -> [String] {
    var names: [String] = []
    for name in GatewayPort.Server.serverNames(match.sniHosts) {
      if let owner = owners[name] {
        problems.append(
          ConfigError(
            .conflict, object: object.ref, at: path,
            reason: "\(name) is already served on \(port.listenerName) by \(owner); "
              + "the name is left out"))
      } else {
        owners[name] = "\(object.ref)"
        names.append(name)
      }
    }
    return names
  }

  private mutating func proxy(
    _ route: VirtualService.ConnectionRoute, of object: VirtualService,
    _ server: GatewayPort.Server
  ) -> Envoy.TCPProxy {
    var proxies = StreamProxy(scope, port: server.server.port)
    let proxy = proxies.proxy(for: route, of: object)
    origins += proxies.origins
    return proxy
  }
}

extension VirtualService.ConnectionMatch {
  /// Whether the match is about a server at all; names are compared by Envoy.
  fileprivate func applies(to server: GatewayPort.Server, in object: VirtualService) -> Bool {
    if let port, port != UInt32(server.server.port) { return false }
    return gateways.isEmpty
      || gateways.contains {
        VirtualService.gatewayName($0, in: object.meta.namespace) == server.gatewayName
      }
  }
}
