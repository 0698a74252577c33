// SPDX-License-Identifier: Apache-2.0

/// An `extensions.istio.io/v1alpha1` TrafficExtension: a Wasm module or a Lua script in the filter
/// chains of workloads.
///
/// Istio's successor of WasmPlugin.
package struct TrafficExtension: ConfigObject {
  package static let kind = ObjectKind.trafficExtension

  package enum Filter: Hashable, Sendable {
    case wasm(WasmModule)
    /// A script for HTTP traffic.
    case lua(code: String)
  }

  package var meta: ObjectMeta
  package var placement = PluginPlacement()
  package var filter: Filter

  package init(meta: ObjectMeta, filter: Filter) {
    self.meta = meta
    self.filter = filter
  }
}
