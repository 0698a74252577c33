// SPDX-License-Identifier: Apache-2.0

import WasmModules

/// What a control plane tells the agent beside the module's URL: variables of the VM's environment
/// which Envoy and the module must not see.
struct ModuleEnvironment {
  /// Of all internal variables, as in Istio.
  static let prefix = "ISTIO_META_"

  private static let pullSecret = "ISTIO_META_WASM_IMAGE_PULL_SECRET"
  private static let pullPolicy = "ISTIO_META_WASM_IMAGE_PULL_POLICY"
  private static let resourceVersion = "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION"

  private let variable: (String) throws(WireError) -> String?

  init(_ variable: @escaping (String) throws(WireError) -> String?) { self.variable = variable }

  /// Adds what the environment says to a request.
  func complete(_ request: inout ModuleRequest) throws(WireError) {
    // An empty secret is kept: the control plane could not read it, and the fetch must say so.
    request.pullSecret = try variable(Self.pullSecret).map(PullSecret.init)
    request.resourceVersion = try variable(Self.resourceVersion) ?? ""
    request.pullPolicy =
      switch try variable(Self.pullPolicy) {
      case "IfNotPresent": .ifNotPresent
      case "Always": .always
      default: .unspecified
      }
  }
}
