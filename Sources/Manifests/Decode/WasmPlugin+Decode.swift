// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension WasmPlugin {
  private static let schema = Schema(
    fields: PluginPlacement.fieldNames + ["targetRef"] + WasmModule.fieldNames)

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> WasmPlugin? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    // Without a module the object is refused, but its author should see all other mistakes too.
    var plugin = WasmPlugin(meta: meta, module: WasmModule.decode(fields))
    plugin.placement = PluginPlacement.decode(fields)
    return plugin
  }
}
