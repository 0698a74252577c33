// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Consistent hashing, which a DestinationRule asks for and a route carries out.
extension HTTPRoutes {
  /// The service and the port of it that a destination means.
  func target(of target: VirtualService.Destination) -> (host: String, port: UInt16) {
    let host = Hostname.resolve(target.host, in: object.meta.namespace)
    let ports = destination(host).ports ?? []
    // As Istio: the port asked for, else the only one of the service, else that of the listener.
    let only = ports.count == 1 ? ports.first?.number : nil
    return (host, target.port ?? only ?? port)
  }

  /// The policies of all destinations with a share of the requests, each once.
  ///
  /// Envoy has one list for a route, whichever of its clusters is chosen.
  mutating func hashPolicies(
    of destinations: [VirtualService.WeightedDestination]
  ) -> [Envoy.RouteAction.HashPolicy] {
    var policies: [Envoy.RouteAction.HashPolicy] = []
    for weighted in destinations where destinations.count == 1 || weighted.weight > 0 {
      let (host, port) = target(of: weighted.destination)
      let subset = weighted.destination.subset
      guard let entry = destination(host).entry,
        let policy = entry.hashPolicy(port: port, subset: subset).first
      else { continue }
      ruleOrigins += entry.origins(ofSubset: subset)
      if !policies.contains(policy) { policies.append(policy) }
    }
    return policies
  }
}

extension Envoy.RouteAction {
  /// Hashes, and retries at the endpoint that the hash says, where Istio would else try another.
  mutating func hash(by policies: [HashPolicy]) {
    guard !policies.isEmpty else { return }
    hashPolicy = policies
    if hasRetryPolicy {
      retryPolicy.retryHostPredicate = []
      retryPolicy.hostSelectionRetryMaxAttempts = 0
    }
  }
}
