// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The Wasm plugins of one filter chain, in the order in which traffic passes them.
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
  let plugins: [WasmPlugin]

  /// Takes the plugins that apply to the proxy, own namespace first, then by age.
  init(_ plugins: [WasmPlugin], for traffic: Traffic) {
    self.plugins = PluginOrder.sorted(plugins.filter { $0.matches(traffic) })
  }

  var httpFilters: [Envoy.HTTPFilter] {
    plugins.filter { $0.type != .network }.map { plugin in
      Envoy.HTTPFilter.with {
        $0.name = plugin.resourceName
        $0.configDiscovery = Self.source(WasmConfig.httpTypeURLs)
      }
    }
  }

  var networkFilters: [Envoy.NetworkFilter] {
    plugins.filter { $0.type == .network }.map { plugin in
      Envoy.NetworkFilter.with {
        $0.name = plugin.resourceName
        $0.configDiscovery = Self.source(WasmConfig.networkTypeURLs)
      }
    }
  }

  var origins: [Origin] { plugins.map(\.origin) }

  private static func source(_ typeURLs: [String]) -> Envoy.ExtensionConfigSource {
    Envoy.ExtensionConfigSource.with {
      $0.configSource = Envoy.aggregatedSource
      $0.typeUrls = typeURLs
    }
  }
}

/// The total order of plugins in a chain (Istio's WasmPlugin reference, "phase" and "priority").
enum PluginOrder {
  /// Sorts by phase, then priority; plugins that tie stay in the given order.
  static func sorted(_ plugins: [WasmPlugin]) -> [WasmPlugin] {
    plugins.enumerated().sorted { left, right in
      let leftKey = (rank(left.element.phase), descending(left.element.priority), left.offset)
      return leftKey < (rank(right.element.phase), descending(right.element.priority), right.offset)
    }.map(\.element)
  }

  private static func rank(_ phase: WasmPlugin.Phase) -> Int {
    switch phase {
    case .authn: 0
    case .authz: 1
    case .stats: 2
    case .unspecified: 3
    }
  }

  /// An unset priority comes after every number, even negative ones.
  private static func descending(_ priority: Int32?) -> Int64 {
    priority.map { -Int64($0) } ?? .max
  }
}

extension WasmPlugin {
  /// The name of its ECDS resource and of its filters.
  var resourceName: String { "extensions.istio.io/wasmplugin/\(meta.namespace).\(meta.name)" }

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
