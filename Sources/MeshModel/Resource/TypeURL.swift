// SPDX-License-Identifier: Apache-2.0

/// The type of an xDS resource, as DiscoveryRequest.type_url names it.
package struct TypeURL: Hashable, Sendable, RawRepresentable {
  package var rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
}

extension TypeURL {
  private static func envoy(_ name: String) -> Self {
    Self(rawValue: "type.googleapis.com/envoy.\(name)")
  }

  package static let cluster = envoy("config.cluster.v3.Cluster")
  package static let endpoint = envoy("config.endpoint.v3.ClusterLoadAssignment")
  package static let listener = envoy("config.listener.v3.Listener")
  package static let route = envoy("config.route.v3.RouteConfiguration")
  package static let extensionConfig = envoy("config.core.v3.TypedExtensionConfig")
  package static let secret = envoy("extensions.transport_sockets.tls.v3.Secret")

  /// What skiff-agent sends of the Wasm modules of its Envoy (proto/skiff/agent/v1/wasm.proto); never a
  /// subscription.
  package static let wasmModuleReport = Self(
    rawValue: "type.googleapis.com/skiff.agent.v1.WasmModuleReport")

  /// Make before break: what is referred to travels before what refers to it.
  ///
  /// Clusters, their endpoints, then filter configurations before the listeners that need them, then
  /// routes (the xDS protocol's "Eventual consistency considerations").
  package static let pushOrder: [Self] = [
    .cluster, .endpoint, .secret, .extensionConfig, .listener, .route,
  ]

  /// The position in the push order; other types come last, with one rank for all.
  package var pushRank: Int { Self.pushOrder.firstIndex(of: self) ?? Self.pushOrder.count }

  /// Types for which a request without names asks for everything (the xDS protocol's wildcard).
  package var isWildcardType: Bool { self == .cluster || self == .listener }

  /// Types whose SotW response must hold every resource of the subscription.
  ///
  /// What is left out is deleted. For the others a response may hold any part.
  package var isFullState: Bool { isWildcardType }

  /// The short name that Istio and istioctl use: `CDS`; nil for other types.
  package var shortName: String? {
    switch self {
    case .cluster: "CDS"
    case .endpoint: "EDS"
    case .listener: "LDS"
    case .route: "RDS"
    case .extensionConfig: "ECDS"
    case .secret: "SDS"
    default: nil
    }
  }
}

extension TypeURL: CustomStringConvertible {
  package var description: String { rawValue }
}
