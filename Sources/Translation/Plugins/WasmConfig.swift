// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import MeshModel
import SwiftProtobuf

/// The ECDS resource of a Wasm plugin, as Istio generates it.
///
/// Modules that are not on the proxy's disk are named by their URL and a cluster that does not
/// exist: the agent beside the proxy fetches them and rewrites the resource before Envoy sees it.
enum WasmConfig {
  /// The types that Envoy may be given: the plugin, or the agent's stand-in when a fetch fails.
  static let httpTypeURLs = [
    Envoy_Extensions_Filters_Http_Wasm_V3_Wasm.typeURL,
    Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.typeURL,
  ]
  static let networkTypeURLs = [
    Envoy_Extensions_Filters_Network_Wasm_V3_Wasm.typeURL,
    Envoy_Extensions_Filters_Network_Rbac_V3_RBAC.typeURL,
  ]

  /// The resource; nil for a plugin that is no Wasm module, as its filter says all.
  static func resource(
    for plugin: Plugin, in mesh: MeshSnapshot, reporting problems: inout [ConfigError]
  ) -> Envoy.TypedExtensionConfig? {
    guard let module = plugin.module else { return nil }
    let config = pluginConfig(plugin, module, in: mesh, reporting: &problems)
    return Envoy.TypedExtensionConfig.with {
      $0.name = plugin.resourceName
      $0.typedConfig =
        plugin.isNetwork
        ? Envoy_Extensions_Filters_Network_Wasm_V3_Wasm.with { $0.config = config }.packed()
        : Envoy_Extensions_Filters_Http_Wasm_V3_Wasm.with { $0.config = config }.packed()
    }
  }

  private static func pluginConfig(
    _ plugin: Plugin, _ module: WasmModule, in mesh: MeshSnapshot,
    reporting problems: inout [ConfigError]
  ) -> Envoy_Extensions_Wasm_V3_PluginConfig {
    var config = Envoy_Extensions_Wasm_V3_PluginConfig()
    config.name = plugin.configName
    config.rootID = module.pluginName
    if let value = module.pluginConfig {
      config.configuration = Google_Protobuf_StringValue(value.text()).packed()
    }
    config.failurePolicy =
      switch module.failStrategy {
      case .failClose: .failClosed
      case .failOpen: .failOpen
      case .failReload: .failReload
      }
    config.vmConfig.runtime = "envoy.wasm.runtime.v8"
    config.vmConfig.code = code(of: plugin, module, reporting: &problems)
    let environment = environment(of: plugin, module, in: mesh, reporting: &problems)
    if !environment.keyValues.isEmpty || !environment.hostEnvKeys.isEmpty {
      config.vmConfig.environmentVariables = environment
    }
    return config
  }

  private static func code(
    of plugin: Plugin, _ module: WasmModule, reporting problems: inout [ConfigError]
  ) -> Envoy_Config_Core_V3_AsyncDataSource {
    if case .file(let path) = module.source {
      return Envoy_Config_Core_V3_AsyncDataSource.with { $0.local.filename = path }
    }
    if module.sha256 == nil {
      problems.append(
        ConfigError(
          .required, severity: .warning, object: plugin.ref, at: plugin.origin.path["sha256"],
          reason: "no checksum for a remote module, so it needs skiff-agent beside the proxy: "
            + "Envoy by itself refuses a remote module without sha256"))
    }
    return Envoy_Config_Core_V3_AsyncDataSource.with {
      $0.remote.httpUri.uri = module.url
      // There is no such cluster; the field must not be empty.
      $0.remote.httpUri.cluster = "_"
      $0.remote.httpUri.timeout = Google_Protobuf_Duration(seconds: 30)
      $0.remote.sha256 = module.sha256 ?? ""
    }
  }

  /// What the agent must know to fetch the module, then the user's variables, which may override.
  private static func environment(
    of plugin: Plugin, _ module: WasmModule, in mesh: MeshSnapshot,
    reporting problems: inout [ConfigError]
  ) -> Envoy_Extensions_Wasm_V3_EnvironmentVariables {
    var values: [String: String] = [:]
    if !module.source.isLocal {
      if let name = module.imagePullSecret {
        // Empty tells the agent that there should be one, so that the fetch says why it fails.
        values[PullSecret.variable] = PullSecret.text(
          of: name, for: plugin, in: mesh, reporting: &problems)
      }
      if module.imagePullPolicy != .unspecified {
        values["ISTIO_META_WASM_IMAGE_PULL_POLICY"] = module.imagePullPolicy.rawValue
      }
      values["ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION"] = plugin.meta.resourceVersion
    }
    var hostKeys: [String] = []
    for (index, variable) in module.env.enumerated() {
      // Envoy refuses a name that is both a value and a host variable.
      guard !module.env[..<index].contains(where: { $0.name == variable.name }) else {
        problems.append(
          ConfigError(
            .conflict, object: plugin.ref,
            at: plugin.origin.path["vmConfig"]["env"][index]["name"],
            reason: "expected each variable once, found \(variable.name) again; "
              + "the later one is left out"))
        continue
      }
      switch variable.source {
      case .inline(let value): values[variable.name] = value
      case .host:
        values[variable.name] = nil
        hostKeys.append(variable.name)
      }
    }
    return Envoy_Extensions_Wasm_V3_EnvironmentVariables.with {
      $0.keyValues = values
      $0.hostEnvKeys = hostKeys
    }
  }
}

extension ModuleSource {
  fileprivate var isLocal: Bool { if case .file = self { true } else { false } }
}
