// SPDX-License-Identifier: Apache-2.0

/// A plugin for filter chains, whatever declares it: a WasmPlugin, a TrafficExtension, or an
/// extension provider that routes refer to.
package struct Plugin: Hashable, Sendable {
  package enum Scope: Hashable, Sendable {
    /// All traffic of the workloads that `placement` selects.
    case workloads
    /// Only requests of routes that name it.
    case routes
  }

  /// Of the object; the name and the version are those of the plugin.
  package var meta: ObjectMeta
  /// The object, and the field that holds the filter: `spec`, `spec.wasm`.
  package var origin: Origin
  /// Of its ECDS resource and of its filters.
  package var resourceName: String
  /// In the configuration of the filter, for logs and statistics of Envoy.
  package var configName: String
  package var placement: PluginPlacement
  package var filter: TrafficExtension.Filter
  package var scope: Scope

  package var ref: ObjectRef { origin.object }

  /// What its resources come from: the object, which may carry other things where it is the mesh
  /// configuration.
  package var declaration: Origin {
    scope == .routes ? origin : Origin(object: origin.object, generation: origin.generation)
  }

  /// Nil for a script.
  package var module: WasmModule? { if case .wasm(let module) = filter { module } else { nil } }

  /// Whether it acts on connections, not on requests.
  package var isNetwork: Bool { module?.type == .network }

  /// Age, name, namespace, as objects of one kind; WasmPlugins before TrafficExtensions of a name.
  package static func precedesByAge(_ left: Plugin, _ right: Plugin) -> Bool {
    (left.meta.creationTimestamp, left.meta.name, left.meta.namespace, left.resourceName)
      < (right.meta.creationTimestamp, right.meta.name, right.meta.namespace, right.resourceName)
  }
}

extension Plugin {
  /// Istio's name for it up to 1.28, which EnvoyFilters and dashboards know.
  package init(_ object: WasmPlugin) {
    let name = "\(object.meta.namespace).\(object.meta.name)"
    self.init(
      meta: object.meta, origin: object.origin(at: FieldPath("spec")),
      resourceName: "extensions.istio.io/wasmplugin/\(name)", configName: name,
      placement: object.placement, filter: .wasm(object.module), scope: .workloads)
  }

  package init(_ object: TrafficExtension) {
    let name = "\(object.meta.namespace).\(object.meta.name)"
    let path: FieldPath =
      switch object.filter {
      case .wasm: FieldPath("spec", "wasm")
      case .lua: FieldPath("spec", "lua")
      }
    self.init(
      meta: object.meta, origin: object.origin(at: path),
      resourceName: "extensions.istio.io/trafficextension/\(name)", configName: name,
      placement: object.placement, filter: object.filter, scope: .workloads)
  }

  /// A provider of the mesh configuration; nil for one that is no Wasm module.
  ///
  /// Its Secret is in the root namespace, as the mesh configuration is.
  package init?(_ provider: MeshConfig.ExtensionProvider, rootNamespace: String) {
    guard case .wasm(let wasm) = provider.provider, let origin = provider.origin else { return nil }
    var placement = PluginPlacement()
    placement.phase = wasm.phase
    placement.priority = wasm.priority
    self.init(
      meta: ObjectMeta(
        name: provider.name, namespace: rootNamespace, resourceVersion: wasm.version),
      origin: Origin(
        object: origin.object, generation: origin.generation, path: origin.path["wasm"]),
      resourceName: Self.routeResourcePrefix + provider.name, configName: provider.name,
      placement: placement, filter: .wasm(wasm.module), scope: .routes)
  }

  /// Before the name of a provider.
  package static let routeResourcePrefix = "extensions.istio.io/extensionprovider/"
}
