// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Wasm plugins that VirtualServices and Gateways put on some routes: extension providers.
///
/// The filter of such a plugin stands in the chains of every listener whose routes may use it, switched
/// off; a route that names the plugin switches it on. So a change of a route is a change of RDS alone,
/// one of the plugin of ECDS alone, and requests of other routes never enter the module.
enum RoutePlugins {
  /// Those that some route of the proxy uses, in the order of the mesh configuration.
  static func used(in mesh: MeshSnapshot, by proxy: ProxyClass) -> [Plugin] {
    guard !mesh.routePlugins.isEmpty else { return [] }
    var names: Set<String> = []
    var gateways: Set<String> = []
    switch proxy.role {
    case .sidecar: gateways = [VirtualService.mesh]
    case .router:
      for gateway in mesh.gateways where gateway.selector.matches(proxy.labels) {
        gateways.insert("\(gateway.meta.namespace)/\(gateway.meta.name)")
        names.formUnion(gateway.plugins.map(\.name))
      }
    }
    for object in mesh.pluginUsers {
      guard object.visibility(in: proxy.namespace, default: []) != nil,
        !gateways.isDisjoint(with: ResolvedVirtualService(object).gateways)
      else { continue }
      names.formUnion(object.pluginNames)
    }
    return mesh.routePlugins.filter { names.contains($0.configName) }
  }

  /// What Gateways name, by `namespace/name`.
  static func byGateway(_ mesh: MeshSnapshot) -> [String: [PluginReference]] {
    var references: [String: [PluginReference]] = [:]
    for gateway in mesh.gateways where !gateway.plugins.isEmpty {
      references["\(gateway.meta.namespace)/\(gateway.meta.name)"] = gateway.plugins
    }
    return references
  }

  /// Switches a filter on for a route, with the configuration that it has.
  static let enabled = Envoy_Config_Route_V3_FilterConfig.with {
    $0.config = Google_Protobuf_Any()
  }.packed()

  /// What stands for the plugin until its module is there, so that the other routes of a listener
  /// need not wait for it.
  static func standIn(for plugin: Plugin) -> Google_Protobuf_Any {
    guard plugin.module?.failStrategy != .failOpen else {
      return Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.with {
        $0.rulesStatPrefix = "wasm-default-allow"
      }.packed()
    }
    // Rules without a policy allow nothing.
    return Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.with {
      $0.rules = .init()
      $0.rulesStatPrefix = "wasm-default-deny"
    }.packed()
  }
}

extension HTTPRoutes {
  /// Switches on the plugins that a route, its VirtualService or the gateway names.
  ///
  /// A plugin that nobody declares may have been meant to guard the route, so the route then answers
  /// 500; the name was reported once for the whole mesh.
  func enablePlugins(of http: VirtualService.HTTPRoute, on route: inout Envoy.Route) {
    let references = argument.gatewayPlugins + object.plugins + http.plugins
    guard !references.isEmpty, proxy.runsWasm else { return }
    for reference in references {
      guard let plugin = argument.surroundings.value.routePlugins[reference.name] else {
        route.directResponse = .with { $0.status = 500 }
        continue
      }
      route.typedPerFilterConfig[plugin.resourceName] = RoutePlugins.enabled
    }
  }
}
