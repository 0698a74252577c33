// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// RDS of a sidecar: for each HTTP port, a virtual host for every service on it and for the hosts of
/// the VirtualServices that are bound to the mesh.
struct SidecarRoutes {
  let scope: ProxyScope
  /// For each host, the VirtualService that counts: the first of the index, as in Istio.
  private let virtualServices: [String: ResolvedVirtualService]
  private let hosts: [(host: String, ResolvedVirtualService)]
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope, _ index: VirtualServiceIndex) {
    self.scope = scope
    var byHost: [String: ResolvedVirtualService] = [:]
    var hosts: [(host: String, ResolvedVirtualService)] = []
    for virtualService in index[VirtualService.mesh] where !virtualService.object.http.isEmpty {
      for host in virtualService.hosts {
        if let former = byHost[host] {
          problems.append(
            ConfigError(
              .conflict, severity: .warning, object: virtualService.object.ref,
              at: FieldPath("spec", "hosts"),
              reason: "\(host) is routed by \(former.object.ref), which comes first; sidecars use "
                + "one VirtualService for each host"))
        } else {
          byHost[host] = virtualService
          hosts.append((host, virtualService))
        }
      }
    }
    virtualServices = byHost
    self.hosts = hosts
  }

  /// The route configuration for what is spoken on the port of one service, where that may be HTTP.
  static func name(_ service: Service, _ port: UInt16) -> String {
    "\(service.hostname):\(port)"
  }

  /// The routes of a service on a port that may turn out to be HTTP.
  mutating func configuration(
    for service: Service, on port: OutboundPorts.StreamPort
  ) -> RouteConfigurationDraft {
    var table = VirtualHostTable()
    table.origins = service.origins
    let routes = routes(to: service, port.number, port.egress, origins: &table.origins)
    let name = Self.name(service, port.number)
    // Whatever host a client names, it is this service that it has connected to.
    table.append(name, domains: ["*"], routes)
    return table.configuration(named: name, in: scope)
  }

  mutating func configuration(
    for httpPort: OutboundPorts.HTTPPort
  ) -> RouteConfigurationDraft {
    let (port, egress) = (httpPort.number, httpPort.egress)
    var table = VirtualHostTable()
    // Kind by kind, which is nearly the order in which they end.
    var routeOrigins: [Origin] = []
    for service in httpPort.services {
      table.origins += service.origins
      let routes = routes(to: service, port, egress, origins: &routeOrigins)
      table.append("\(service.hostname):\(port)", domains: domains(of: service), routes)
    }
    // Hosts that are no service, or one on another port: only VirtualServices know them.
    let served = Set(httpPort.services.map(\.hostname))
    for (host, virtualService) in hosts
    where !served.contains(host) && egress.imports(virtualService) {
      let routes = routes(virtualService, port)
      guard !routes.list.isEmpty else { continue }
      routeOrigins += routes.origins
      table.append("\(host):\(port)", domains: [host], routes.list)
    }
    table.origins += routeOrigins
    let name = scope.allowsAnyOutbound ? "allow_any" : "block_all"
    table.append(name, domains: ["*"], RouteList([catchAll(named: name)]))
    return table.configuration(named: "\(port)", in: scope)
  }

  /// The route of a connection to the workload itself.
  static func inbound(to cluster: String, port: UInt16) -> Envoy.RouteConfiguration {
    let route = Envoy.Route.with {
      $0.name = "default"
      $0.match.prefix = "/"
      $0.route.cluster = cluster
      $0.route.timeout = Google_Protobuf_Duration()
      $0.route.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration()
    }
    return Envoy.RouteConfiguration.with {
      $0.name = cluster
      $0.validateClusters = Google_Protobuf_BoolValue(false)
      $0.virtualHosts = [
        Envoy.VirtualHost.with {
          $0.name = "inbound|http|\(port)"
          $0.domains = ["*"]
          $0.routes = [route]
        }
      ]
    }
  }

  private mutating func routes(
    to service: Service, _ port: UInt16, _ egress: EgressScope, origins: inout [Origin]
  ) -> RouteList {
    if let virtualService = virtualServices[service.hostname], egress.imports(virtualService) {
      let routes = routes(virtualService, port)
      if !routes.list.isEmpty {
        origins += routes.origins
        return routes.list
      }
    }
    let argument = DefaultRoutes.Argument(
      hostname: service.hostname, port: port, entry: scope.destinations.entry(for: service),
      surroundings: scope.surroundings)
    let routes = scope.round.memory.defaultRoutes.part("\(service.hostname):\(port)", argument)
    origins += routes.origins
    return routes.list
  }

  private mutating func routes(
    _ virtualService: ResolvedVirtualService, _ port: UInt16
  ) -> VirtualServiceRoutes {
    let routes = scope.routes(of: virtualService, port: port, gateway: VirtualService.mesh)
    problems += routes.problems
    return routes
  }

  /// The names by which the workload may call a service: full, and shortened by what they share.
  private func domains(of service: Service) -> [String] {
    var domains = [service.hostname]
    let suffix = ".\(service.namespace).svc.cluster.local"
    if service.hostname.hasSuffix(suffix) {
      let name = String(service.hostname.dropLast(suffix.count))
      if service.namespace == scope.proxy.namespace { domains.append(name) }
      domains += ["\(name).\(service.namespace)", "\(name).\(service.namespace).svc"]
    }
    // Clients of a headless service name one of its endpoints: `db-0.db.default`.
    if service.isHeadless { domains += domains.map { "*.\($0)" } }
    return domains + service.addresses.filter(IPAddress.isValid)
  }

  /// Where requests to hosts go that nobody declared.
  private func catchAll(named name: String) -> Envoy.Route {
    Envoy.Route.with {
      $0.name = name
      $0.match.prefix = "/"
      if scope.allowsAnyOutbound {
        $0.route.cluster = ClusterName.passthrough
        $0.route.timeout = Google_Protobuf_Duration()
        $0.route.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration()
      } else {
        $0.directResponse.status = 502
      }
    }
  }
}
