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
  ) -> Sourced<Envoy.RouteConfiguration> {
    var table = VirtualHostTable()
    table.origins = service.origins
    let routes = routes(to: service, port.number, port.egress, origins: &table.origins)
    let name = Self.name(service, port.number)
    // Whatever host a client names, it is this service that it has connected to.
    table.append(Self.virtualHost(name, ["*"], routes))
    var message = RouteConfiguration.message(named: name, table)
    message.ignorePortInHostMatching = true
    return Sourced(message, origins: table.origins)
  }

  mutating func configuration(
    for httpPort: OutboundPorts.HTTPPort
  ) -> Sourced<Envoy.RouteConfiguration> {
    let (port, egress) = (httpPort.number, httpPort.egress)
    var table = VirtualHostTable()
    for service in httpPort.services {
      table.origins += service.origins
      let routes = routes(to: service, port, egress, origins: &table.origins)
      table.append(
        Self.virtualHost("\(service.hostname):\(port)", domains(of: service), routes))
    }
    // Hosts that are no service, or one on another port: only VirtualServices know them.
    for (host, virtualService) in hosts where egress.imports(virtualService) {
      let routes = routes(virtualService, port)
      guard !routes.isEmpty else { continue }
      table.origins += virtualService.object.routeOrigins
      table.append(Self.virtualHost("\(host):\(port)", [host], routes))
    }
    table.append(catchAll())
    var message = RouteConfiguration.message(named: "\(port)", table)
    message.ignorePortInHostMatching = true
    return Sourced(message, origins: table.origins)
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
  ) -> [Envoy.Route] {
    if let virtualService = virtualServices[service.hostname], egress.imports(virtualService) {
      let routes = routes(virtualService, port)
      if !routes.isEmpty {
        origins += virtualService.object.routeOrigins
        return routes
      }
    }
    return [
      Envoy.Route.with {
        $0.name = "default"
        $0.match.prefix = "/"
        $0.route.cluster = ClusterName.outbound(port: port, host: service.hostname)
        $0.route.timeout = Google_Protobuf_Duration()
        $0.route.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration()
        if let policy = RetryPolicy.policy(nil, scope.mesh.meshConfig) {
          $0.route.retryPolicy = policy
        }
        $0.route.hash(
          by: scope.destinations.hashPolicy(for: service.hostname, port: port, subset: ""))
      }
    ]
  }

  private mutating func routes(
    _ virtualService: ResolvedVirtualService, _ port: UInt16
  ) -> [Envoy.Route] {
    var builder = HTTPRoutes(
      virtualService.object, scope: scope, port: port, gateway: VirtualService.mesh)
    defer { problems += builder.problems }
    return builder.routes()
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

  private static func virtualHost(
    _ name: String, _ domains: [String], _ routes: [Envoy.Route]
  ) -> Envoy.VirtualHost {
    Envoy.VirtualHost.with {
      $0.name = name
      $0.domains = domains
      $0.routes = routes
      $0.includeRequestAttemptCount = true
    }
  }

  /// Requests to hosts that nobody declared.
  private func catchAll() -> Envoy.VirtualHost {
    let allows = scope.allowsAnyOutbound
    return Self.virtualHost(
      allows ? "allow_any" : "block_all", ["*"],
      [
        Envoy.Route.with {
          $0.name = allows ? "allow_any" : "block_all"
          $0.match.prefix = "/"
          if allows {
            $0.route.cluster = ClusterName.passthrough
            $0.route.timeout = Google_Protobuf_Duration()
            $0.route.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration()
          } else {
            $0.directResponse.status = 502
          }
        }
      ])
  }
}
