// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import WasmModules

/// A place in a resource that holds the configuration of a Wasm filter.
///
/// - https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/extension
struct ModuleSite {
  enum Encoding {
    /// An `Any` of the filter's own message.
    case message
    /// An `Any` of a TypedStruct that names the filter's type.
    case typedStruct
    /// An object with "@type" inside a TypedStruct of something else.
    case object
  }

  var encoding: Encoding
  var isNetwork: Bool
  /// The name of the filter around it.
  var filterName: String
  /// The `Any`, or the object.
  var bytes: ArraySlice<UInt8>

  /// The remote module; nil where the module is local.
  ///
  /// Pulls of a module are remembered under the name that `resource` gives it.
  func module(in resource: (_ plugin: String) -> String) throws(WireError) -> ModuleUse? {
    switch encoding {
    case .message: try PluginMessage(wasm: value()).module(of: self, in: resource)
    case .typedStruct: try PluginObject(wasm: structure()).module(of: self, in: resource)
    case .object: try PluginObject(wasm: WireStruct(bytes)).module(of: self, in: resource)
    }
  }

  /// The configuration with the module in a local file and without the agent's variables.
  func localized(_ file: String) throws(WireError) -> WireMessage.Edit {
    switch encoding {
    case .message:
      try WireMessage(bytes).editing([2: .last]) { _, wasm throws(WireError) in
        try PluginMessage.localizing(wasm, file)
      }
    case .typedStruct:
      try WireMessage(bytes).editing([2: .last]) { _, typedStruct throws(WireError) in
        try WireMessage(typedStruct).editing([2: .merged]) { _, value throws(WireError) in
          try PluginObject.localizing(WireStruct(value), file)
        }
      }
    case .object: try PluginObject.localizing(WireStruct(bytes), file)
    }
  }

  private func value() throws(WireError) -> ArraySlice<UInt8> {
    try WireMessage(bytes).bytes(2) ?? []
  }

  private func structure() throws(WireError) -> WireStruct {
    try WireStruct(WireMessage(value()).merged(2) ?? [])
  }
}

extension ModuleSite {
  /// The filter's configuration when its module cannot be had: all traffic passes, or none.
  ///
  /// The names of the statistics are Istio's.
  func fallback(_ strategy: ModuleUse.FailStrategy) -> WireMessage.Edit {
    let prefix = strategy == .open ? "wasm-default-allow" : "wasm-default-deny"
    if encoding == .object {
      let type =
        isNetwork
        ? Envoy_Extensions_Filters_Network_Rbac_V3_RBAC.typeURL
        : Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.typeURL
      let members = [
        WireStruct.entry("@type", text: type),
        strategy == .closed ? WireStruct.entry("rules", object: []) : [],
        WireStruct.entry(isNetwork ? "stat_prefix" : "rules_stat_prefix", text: prefix),
      ]
      return .replace(members.flatMap(\.self))
    }
    // Rules without a policy allow nothing; without rules nothing is refused.
    let packed =
      isNetwork
      ? Envoy_Extensions_Filters_Network_Rbac_V3_RBAC.with {
        $0.statPrefix = prefix
        if strategy == .closed { $0.rules = .init() }
      }
      .packed()
      : Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.with {
        $0.rulesStatPrefix = prefix
        if strategy == .closed { $0.rules = .init() }
      }
      .packed()
    return .replace(packed.deterministicBytes())
  }
}
