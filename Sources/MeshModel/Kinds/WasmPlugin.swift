// SPDX-License-Identifier: Apache-2.0

/// An `extensions.istio.io/v1alpha1` WasmPlugin: a Wasm module in the filter chains of workloads.
package struct WasmPlugin: ConfigObject {
  package static let kind = ObjectKind.wasmPlugin

  package var meta: ObjectMeta
  package var placement = PluginPlacement()
  package var module: WasmModule

  package init(meta: ObjectMeta, module: WasmModule) {
    self.meta = meta
    self.module = module
  }
}
