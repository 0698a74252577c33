// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The filter that forwards the bytes of a connection to the destinations of a route, or to a service.
struct StreamProxy {
  let scope: ProxyScope
  /// Where the connection came in: the port of destinations that name none.
  let port: UInt16
  /// The DestinationRules that decide about something in what was made.
  private(set) var origins: [Origin] = []

  init(_ scope: ProxyScope, port: UInt16) {
    self.scope = scope
    self.port = port
  }

  /// For an entry of `tls` or `tcp`.
  mutating func proxy(
    for route: VirtualService.ConnectionRoute, of object: VirtualService
  ) -> Envoy.TCPProxy {
    let namespace = object.meta.namespace
    if route.destinations.count == 1, let only = route.destinations.first {
      return proxy(to: target(of: only.destination, in: namespace))
    }
    let weighted = route.destinations.filter { $0.weight > 0 }
    let targets = weighted.map { target(of: $0.destination, in: namespace) }
    var proxy = Envoy.TCPProxy()
    proxy.weightedClusters.clusters = zip(targets, weighted).map { target, weighted in
      Envoy.TCPProxy.WeightedCluster.ClusterWeight.with {
        $0.name = target.cluster
        $0.weight = weighted.weight
      }
    }
    proxy.statPrefix = "\(object.meta.name).\(namespace)"
    applyRules(for: targets, to: &proxy)
    return proxy
  }

  /// For a service that no route is about.
  mutating func proxy(to service: Service) -> Envoy.TCPProxy {
    proxy(to: Target(host: service.hostname, port: port, subset: ""))
  }

  private struct Target {
    var host: String
    var port: UInt16
    var subset: String
    var cluster: String { ClusterName.outbound(port: port, subset: subset, host: host) }
  }

  private mutating func proxy(to target: Target) -> Envoy.TCPProxy {
    var proxy = Envoy.TCPProxy()
    proxy.cluster = target.cluster
    proxy.statPrefix = target.cluster
    applyRules(for: [target], to: &proxy)
    return proxy
  }

  private func target(of destination: VirtualService.Destination, in namespace: String) -> Target {
    let host = Hostname.resolve(destination.host, in: namespace)
    let ports = scope.service(named: host)?.ports ?? []
    // As Istio: the port asked for, else the only one of the service, else that of the listener.
    let only = ports.count == 1 ? ports.first?.number : nil
    return Target(
      host: host, port: destination.port ?? only ?? port, subset: destination.subset)
  }

  /// What of DestinationRules is carried out here rather than in the clusters.
  private mutating func applyRules(for targets: [Target], to proxy: inout Envoy.TCPProxy) {
    for target in targets {
      let service = scope.service(named: target.host)
      guard let entry = service.flatMap(scope.destinations.entry) else { continue }
      let policy = entry.policy(port: target.port, subset: target.subset)
      let idle = policy.connectionPool?.tcpIdleTimeout
      guard idle != nil || policy.hashesSourceIP else { continue }
      origins += entry.origins(ofSubset: target.subset)
      if policy.hashesSourceIP {
        proxy.hashPolicy = [Envoy_Type_V3_HashPolicy.with { $0.sourceIp = .init() }]
      }
      // The first destination that says it, as Envoy has one for all of them.
      if let idle, !proxy.hasIdleTimeout { proxy.idleTimeout = Google_Protobuf_Duration(idle) }
    }
  }
}

extension TrafficPolicy {
  /// Of bytes nothing else can be hashed.
  fileprivate var hashesSourceIP: Bool {
    guard case .consistentHash(let hash)? = loadBalancer?.algorithm else { return false }
    return hash.key == .sourceIP
  }
}
