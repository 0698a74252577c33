// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What DestinationRules say about the services that the proxies of one class call.
///
/// Clusters and routes both ask here, so that they agree.
struct DestinationPolicies {
  private let rules: DestinationRuleIndex
  private let surroundings: Surroundings

  init(_ rules: DestinationRuleIndex, _ surroundings: Surroundings) {
    self.rules = rules
    self.surroundings = surroundings
  }

  /// The rules for a service; nil where there is none.
  func entry(for service: Service) -> DestinationRuleIndex.Entry? {
    let proxy = surroundings.proxy
    return rules.entry(
      for: service, from: proxy.namespace, labels: proxy.labels,
      root: surroundings.meshConfig.rootNamespace)
  }

  fileprivate static func hashPolicy(by key: ConsistentHash.Key) -> Envoy.RouteAction.HashPolicy {
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

extension DestinationRuleIndex.Entry {
  /// Which part of a request decides where it goes, for the routes to a destination with consistent
  /// hashing; empty where it does not matter.
  ///
  /// At most one policy: of the subset, else of the rule, as the cluster has it. No name stands for the
  /// whole service.
  func hashPolicy(port: UInt16, subset name: String) -> [Envoy.RouteAction.HashPolicy] {
    let policy = policy(port: port, subset: name)
    guard case .consistentHash(let hash)? = policy.loadBalancer?.algorithm else { return [] }
    return [DestinationPolicies.hashPolicy(by: hash.key)]
  }

  /// What holds for a port of the service, or a subset of it, as its cluster has it.
  func policy(port: UInt16, subset name: String) -> TrafficPolicy {
    .merged(trafficPolicy, subset(named: name)?.subset.trafficPolicy, port: port)
  }
}
