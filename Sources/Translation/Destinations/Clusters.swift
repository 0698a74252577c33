// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// CDS and EDS of the services that a proxy sees: a cluster for each port of a service and each subset
/// of it, routed to or not.
///
/// Istio gives every gateway all of them, so that routes added by an EnvoyFilter find their clusters.
struct Clusters {
  let scope: ProxyScope
  private(set) var clusters: [(name: String, Sourced<Envoy.Cluster>)] = []
  private(set) var assignments: [(name: String, Sourced<Envoy.ClusterLoadAssignment>)] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope) {
    self.scope = scope
    let passesOn = scope.passesOn
    for service in scope.services {
      let entry = scope.destinations.entry(for: service)
      for destination in Destination.all(of: service, entry) { add(destination) }
      guard passesOn, service.isMeshInternal else { continue }
      for destination in Destination.all(of: service, entry, passesOn: true) { add(destination) }
    }
    add(Self.blackHole())
    guard scope.proxy.role == .sidecar else { return }
    add(originalDestination(ClusterName.passthrough))
    var inbound = originalDestination(ClusterName.inboundPassthrough)
    // From this address the redirection rules beside the proxy know its own connections to the
    // workload, and let them pass.
    inbound.upstreamBindConfig.sourceAddress.address = "127.0.0.6"
    inbound.upstreamBindConfig.sourceAddress.portValue = 0
    add(inbound)
    for port in scope.inboundPorts { add(port) }
  }

  private var connectTimeout: Duration { scope.mesh.meshConfig.connectTimeout }

  private mutating func add(_ cluster: Envoy.Cluster, origins: [Origin] = []) {
    clusters.append((cluster.name, Sourced(cluster, origins: origins)))
  }

  private mutating func add(_ destination: Destination) {
    let (service, port, name) = (destination.service, destination.port, destination.clusterName)
    var policy = destination.policy
    policy.applyDefaults(of: scope.mesh.meshConfig)
    let members = LoadAssignment(
      service, port, selector: destination.subset?.subset.labels,
      localities: LocalityPreference(scope.proxy, policy))
    var draft = ClusterBuilder(name: name, connectTimeout: connectTimeout)
    draft.message.type = discoveryType(of: service)
    switch service.resolution {
    case .dynamicDNS: draft.useDynamicForwardProxy()
    case .none where draft.message.type == .originalDst: draft.useOriginalDestination()
    case .none, .static:
      draft.message.edsClusterConfig.edsConfig = Envoy.aggregatedSource
      draft.message.edsClusterConfig.serviceName = name
    case .dns, .dnsRoundRobin:
      let (assignment, faults) = members.dns(named: name)
      problems += faults
      // Envoy refuses a DNS cluster without an endpoint, as it has nothing to resolve.
      guard let assignment else { return }
      draft.message.loadAssignment = assignment
      draft.message.dnsRefreshRate = Google_Protobuf_Duration(
        scope.mesh.meshConfig.dnsRefreshRate)
      draft.message.respectDnsTtl = true
      draft.message.dnsLookupFamily = .v4Preferred
    }
    if port.portProtocol.isHTTP2, !destination.passesOn { draft.useHTTP2() }
    // A sidecar finds out by itself what is spoken on a port that nobody has described.
    if port.portProtocol == .unspecified, scope.proxy.role == .sidecar { draft.useClientProtocol() }
    apply(policy, of: destination, to: &draft)
    draft.note(destination.metadata)
    if draft.message.type == .eds {
      let (assignment, faults) = members.static(named: name)
      problems += faults
      assignments.append((name, Sourced(assignment, origins: destination.origins)))
    }
    add(draft.cluster, origins: destination.origins)
  }

  private mutating func apply(
    _ policy: TrafficPolicy, of destination: Destination, to draft: inout ClusterBuilder
  ) {
    let portProtocol = destination.port.portProtocol
    if let pool = policy.connectionPool {
      let isPlainHTTP = portProtocol == .http || portProtocol == .grpcWeb
      draft.apply(pool, isPlainHTTP: isPlainHTTP && !destination.passesOn)
    }
    if let budget = policy.retryBudget { draft.apply(budget) }
    if let detection = policy.outlierDetection { draft.apply(detection) }
    draft.apply(policy.loadBalancer ?? LoadBalancer(), portProtocol: portProtocol)
    guard let settings = policy.tls, !destination.passesOn else { return }
    var tls = UpstreamTLS(settings, scope, destination.service)
    tls.apply(to: &draft)
    for problem in tls.problems {
      guard let (rule, path) = destination.place(of: settings) else { continue }
      problems.append(
        ConfigError(
          problem.code, severity: .warning, object: rule.ref,
          at: path["tls"] + problem.path, reason: problem.reason))
    }
  }

  private func discoveryType(of service: Service) -> Envoy.Cluster.DiscoveryType {
    switch service.resolution {
    case .static, .dynamicDNS: .eds
    case .dns: .strictDns
    case .dnsRoundRobin: .logicalDns
    // A gateway's connections have no original destination; Istio gives it the endpoints instead.
    case .none: scope.proxy.role == .router ? .eds : .originalDst
    }
  }

  private mutating func add(_ port: InboundPort) {
    let name = ClusterName.inbound(port: port.number)
    var draft = ClusterBuilder(name: name, connectTimeout: connectTimeout)
    switch port.endpoint {
    case .instance(let target) where port.bind == nil:
      draft.useOriginalDestination()
      draft.message.originalDstLbConfig.upstreamPortOverride = .init(UInt32(target))
    case .loopback(let target), .instance(let target):
      draft.message.setStatic(Envoy.address("127.0.0.1", port: target))
    case .socket(let path):
      draft.message.setStatic(Envoy.Address.with { $0.pipe.path = path })
    }
    switch port.reading {
    case .http2: draft.useHTTP2()
    case .detected: draft.useClientProtocol()
    case .http, .tcp: break
    }
    if let pool = port.connectionPool { draft.apply(pool, isPlainHTTP: port.reading == .http) }
    add(draft.cluster, origins: port.origins)
  }

  private func originalDestination(_ name: String) -> Envoy.Cluster {
    var draft = ClusterBuilder(name: name, connectTimeout: connectTimeout)
    draft.useOriginalDestination()
    draft.useClientProtocol()
    return draft.cluster
  }

  private static func blackHole() -> Envoy.Cluster {
    Envoy.Cluster.with {
      $0.name = ClusterName.blackHole
      $0.type = .static
      $0.connectTimeout = Google_Protobuf_Duration(seconds: 10)
    }
  }
}

extension TrafficPolicy {
  /// What the mesh configuration says where no rule does.
  fileprivate mutating func applyDefaults(of meshConfig: MeshConfig) {
    if let locality = meshConfig.localityLoadBalancing, loadBalancer?.locality == nil {
      var balancer = loadBalancer ?? LoadBalancer()
      balancer.locality = locality
      loadBalancer = balancer
    }
    guard meshConfig.tcpKeepAlive != nil || meshConfig.upgradesToHTTP2 else { return }
    var pool = connectionPool ?? ConnectionPool()
    pool.tcpKeepAlive = pool.tcpKeepAlive ?? meshConfig.tcpKeepAlive
    if meshConfig.upgradesToHTTP2, pool.http2Upgrade == .default { pool.http2Upgrade = .upgrade }
    connectionPool = pool
  }
}

extension Envoy.Cluster {
  /// One endpoint that is always the same.
  fileprivate mutating func setStatic(_ address: Envoy.Address) {
    type = .static
    lbPolicy = .roundRobin
    loadAssignment.clusterName = name
    loadAssignment.endpoints = [
      Envoy.LocalityEndpoints.with {
        $0.lbEndpoints = [Envoy.LBEndpoint.with { $0.endpoint.address = address }]
      }
    ]
  }
}
