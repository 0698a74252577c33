// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What the HTTP connection managers of gateways and sidecars have in common, with Istio's values.
enum HTTPConnectionManager {
  static func base(meshConfig: MeshConfig) -> Envoy.HTTPConnectionManager {
    var manager = Envoy.HTTPConnectionManager()
    manager.serverName = "istio-envoy"
    normalizePaths(of: &manager, meshConfig.pathNormalization)
    // Streams end by the timeouts of their routes, not by being idle.
    manager.streamIdleTimeout = Google_Protobuf_Duration()
    manager.upgradeConfigs = [
      Envoy.HTTPConnectionManager.UpgradeConfig.with { $0.upgradeType = "websocket" }
    ]
    manager.proxy100Continue = true
    manager.accessLog = AccessLogs.file(meshConfig)
    return manager
  }

  /// The HTTP filters in Istio's order: AUTHN, AUTHZ, STATS and other plugins, fault, CORS, then the
  /// router.
  static func filters(_ plugins: PluginChain) -> [Envoy.HTTPFilter] {
    plugins.httpFilters + [fault, cors, router]
  }

  /// Does nothing by itself: a route that injects faults says so in its own configuration.
  private static let fault = filter(
    FilterName.fault, Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault())

  /// Does nothing by itself: a route with a corsPolicy says so in its own configuration.
  private static let cors = filter(FilterName.cors, Envoy_Extensions_Filters_Http_Cors_V3_Cors())

  private static let router = filter(
    FilterName.router, Envoy_Extensions_Filters_Http_Router_V3_Router())

  private static func filter(_ name: String, _ config: some Message) -> Envoy.HTTPFilter {
    Envoy.HTTPFilter.with {
      $0.name = name
      $0.typedConfig = config.packed()
    }
  }

  /// What is brought into one form before routes and policies look at a path.
  private static func normalizePaths(
    of manager: inout Envoy.HTTPConnectionManager, _ normalization: MeshConfig.PathNormalization
  ) {
    manager.normalizePath = Google_Protobuf_BoolValue(normalization != .none)
    switch normalization {
    case .none, .default, .base: break
    case .mergeSlashes: manager.mergeSlashes = true
    case .decodeAndMergeSlashes:
      manager.mergeSlashes = true
      manager.pathWithEscapedSlashesAction = .unescapeAndForward
    }
  }
}
