// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The plugins of one filter chain, in the order in which traffic passes them.
struct PluginChain {
  /// What a filter chain serves, as `match` of a WasmPlugin sees it.
  struct Traffic {
    enum Direction {
      /// Gateways, and sidecars towards other services.
      case client
      /// Sidecars towards their own workload.
      case server
    }
    var direction: Direction
    var port: UInt16
  }

  /// Ordered.
  let plugins: [Plugin]

  /// Takes the plugins of the proxy that apply to the traffic; those of routes come after the others
  /// of their phase and priority.
  init(_ scope: ProxyScope, for traffic: Traffic) {
    let ofRoutes = traffic.direction == .client ? scope.routePlugins : []
    plugins = (scope.plugins.filter { $0.placement.matches(traffic) } + ofRoutes).inChainOrder
  }

  var httpFilters: [Envoy.HTTPFilter] {
    plugins.filter { !$0.isNetwork }.map { plugin in
      Envoy.HTTPFilter.with {
        $0.name = plugin.resourceName
        switch plugin.filter {
        case .lua(let code): $0.typedConfig = Self.lua(code)
        case .wasm:
          $0.configDiscovery = Self.source(WasmConfig.httpTypeURLs)
          guard plugin.scope == .routes else { return }
          $0.disabled = true
          $0.configDiscovery.defaultConfig = RoutePlugins.standIn(for: plugin)
          $0.configDiscovery.applyDefaultConfigWithoutWarming = true
        }
      }
    }
  }

  var networkFilters: [Envoy.NetworkFilter] {
    plugins.filter(\.isNetwork).map { plugin in
      Envoy.NetworkFilter.with {
        $0.name = plugin.resourceName
        $0.configDiscovery = Self.source(WasmConfig.networkTypeURLs)
      }
    }
  }

  var origins: [Origin] { plugins.map(\.declaration) }

  private static func source(_ typeURLs: [String]) -> Envoy.ExtensionConfigSource {
    Envoy.ExtensionConfigSource.with {
      $0.configSource = Envoy.aggregatedSource
      $0.typeUrls = typeURLs
    }
  }

  private static func lua(_ code: String) -> Google_Protobuf_Any {
    Envoy_Extensions_Filters_Http_Lua_V3_Lua.with {
      $0.defaultSourceCode.inlineString = code
    }.packed()
  }
}

extension PluginPlacement {
  /// Any of the selectors, each by mode and port; no selector matches everything.
  fileprivate func matches(_ traffic: PluginChain.Traffic) -> Bool {
    match.isEmpty
      || match.contains { selector in
        let matchesMode =
          switch selector.mode {
          case .undefined, .clientAndServer: true
          case .client: traffic.direction == .client
          case .server: traffic.direction == .server
          }
        return matchesMode && (selector.ports.isEmpty || selector.ports.contains(traffic.port))
      }
  }
}
