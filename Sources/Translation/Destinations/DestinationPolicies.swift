// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What DestinationRules say about the services that the proxies of one class call.
///
/// Clusters and routes both ask here, so that they agree.
struct DestinationPolicies {
  let mesh: MeshSnapshot
  let proxy: ProxyClass

  init(_ mesh: MeshSnapshot, _ proxy: ProxyClass) {
    self.mesh = mesh
    self.proxy = proxy
  }

  /// The rules for a service; nil where there is none.
  func entry(for service: Service) -> DestinationRuleIndex.Entry? {
    mesh.destinationRules.entry(
      for: service, from: proxy.namespace, labels: proxy.labels,
      root: mesh.meshConfig.rootNamespace)
  }

  /// Which part of a request decides where it goes, for the routes to a destination with consistent
  /// hashing; empty where it does not matter.
  ///
  /// - Parameters:
  ///   - host: the full name of a service.
  ///   - port: of the service.
  ///   - subset: empty for the whole service.
  /// - Returns: at most one policy: of the subset, else of the rule, as the cluster has it.
  func hashPolicy(
    for host: String, port: UInt16, subset: String
  ) -> [Envoy.RouteAction.HashPolicy] {
    let policy = policy(for: host, port: port, subset: subset)
    guard case .consistentHash(let hash)? = policy?.loadBalancer?.algorithm else { return [] }
    return [Self.hashPolicy(hash.key)]
  }

  /// What holds for a port of a service, or a subset of it, as its cluster has it; nil where no rule
  /// is for it.
  func policy(for host: String, port: UInt16, subset: String) -> TrafficPolicy? {
    guard let service = mesh.service(named: host, visibleIn: proxy.namespace),
      let entry = entry(for: service)
    else { return nil }
    let override = entry.subset(named: subset)?.subset.trafficPolicy
    return .merged(entry.trafficPolicy, override, port: port)
  }

  private static func hashPolicy(_ key: ConsistentHash.Key) -> Envoy.RouteAction.HashPolicy {
    Envoy.RouteAction.HashPolicy.with {
      switch key {
      case .header(let name): $0.header.headerName = name
      case .queryParameter(let name): $0.queryParameter.name = name
      case .sourceIP: $0.connectionProperties.sourceIp = true
      case .cookie(let cookie):
        $0.cookie.name = cookie.name
        $0.cookie.path = cookie.path
        if let ttl = cookie.ttl { $0.cookie.ttl = Google_Protobuf_Duration(ttl) }
        $0.cookie.attributes = cookie.attributes.map { attribute in
          Envoy.RouteAction.HashPolicy.CookieAttribute.with {
            $0.name = attribute.name
            $0.value = attribute.value
          }
        }
      }
    }
  }
}
