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
  private(set) var clusters: [ClusterDraft] = []
  private(set) var assignments: [EncodedResource] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope) {
    self.scope = scope
    let outbound = scope.round.memory.clusters.clusters(
      OutboundClusters.Argument(
        services: scope.services, rules: scope.mesh.destinationRules,
        credentials: (scope.mesh.secrets[scope.proxy.namespace] ?? [:]).mapValues(Credential.init),
        passesOn: scope.passesOn, surroundings: scope.surroundings))
    clusters = outbound.clusters
    assignments = outbound.assignments
    problems = outbound.problems
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
    clusters.append(ClusterDraft(Sourced(cluster, origins: origins), for: scope.proxy))
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
