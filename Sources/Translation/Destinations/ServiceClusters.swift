// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The clusters of one service and their endpoints: one for each port, and for each subset on it.
struct ServiceClusters: Piece {
  struct Argument: Equatable {
    let service: Service
    /// What DestinationRules say about the service.
    let entry: DestinationRuleIndex.Entry?
    /// Of the proxy's namespace; empty where the rules name none.
    let credentials: [String: Credential]
    /// Whether there are clusters for connections that are passed on as they are, too.
    let passesOn: Bool
    let surroundings: Shared<Surroundings>
  }

  private(set) var clusters: [ClusterDraft] = []
  private(set) var assignments: [EncodedResource] = []
  private(set) var problems: [ConfigError] = []
  private let proxy: ProxyClass
  private let meshConfig: MeshConfig

  init(_ argument: Argument) {
    let (service, entry) = (argument.service, argument.entry)
    proxy = argument.surroundings.value.proxy
    meshConfig = argument.surroundings.value.meshConfig
    for destination in Destination.all(of: service, entry) {
      add(destination, argument.credentials)
    }
    guard argument.passesOn else { return }
    for destination in Destination.all(of: service, entry, passesOn: true) {
      add(destination, argument.credentials)
    }
  }

  private mutating func add(_ destination: Destination, _ credentials: [String: Credential]) {
    let (service, port, name) = (destination.service, destination.port, destination.clusterName)
    var policy = destination.policy
    policy.applyDefaults(of: meshConfig)
    let members = LoadAssignment(
      service, port, selector: destination.subset?.subset.labels,
      localities: LocalityPreference(proxy, policy))
    var draft = ClusterBuilder(name: name, connectTimeout: meshConfig.connectTimeout)
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
      draft.message.dnsRefreshRate = Google_Protobuf_Duration(meshConfig.dnsRefreshRate)
      draft.message.respectDnsTtl = true
      draft.message.dnsLookupFamily = .v4Preferred
    }
    if port.portProtocol.isHTTP2, !destination.passesOn { draft.useHTTP2() }
    // A sidecar finds out by itself what is spoken on a port that nobody has described.
    if port.portProtocol == .unspecified, proxy.role == .sidecar { draft.useClientProtocol() }
    apply(policy, of: destination, credentials, to: &draft)
    draft.note(destination.metadata)
    if draft.message.type == .eds {
      let (assignment, faults) = members.static(named: name)
      problems += faults
      assignments.append(
        Sourced(assignment, origins: destination.origins).encoded(as: .endpoint, named: name))
    }
    clusters.append(ClusterDraft(Sourced(draft.cluster, origins: destination.origins), for: proxy))
  }

  private mutating func apply(
    _ policy: TrafficPolicy, of destination: Destination, _ credentials: [String: Credential],
    to draft: inout ClusterBuilder
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
    var tls = UpstreamTLS(
      settings, proxy, credentials, serviceNames: destination.service.subjectAltNames)
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
    case .none: proxy.role == .router ? .eds : .originalDst
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
