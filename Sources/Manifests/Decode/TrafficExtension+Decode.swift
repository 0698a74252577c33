// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension TrafficExtension {
  private static let schema = Schema(fields: PluginPlacement.fieldNames + ["wasm", "lua"])
  private static let luaSchema = Schema(fields: ["inlineCode"])
  /// Istio's limit, in bytes.
  private static let codeLimit = 65_536

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/proxy_extensions/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> TrafficExtension? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let filter = filter(fields)
    let placement = PluginPlacement.decode(fields)
    guard let filter else { return nil }
    var object = TrafficExtension(meta: meta, filter: filter)
    object.placement = placement
    return object
  }

  private static func filter(_ fields: Fields) -> Filter? {
    let written = ["wasm", "lua"].filter(fields.has)
    guard written.count == 1 else {
      fields.problems.error(
        written.isEmpty ? .required : .conflict, at: fields.path,
        "expected exactly one of wasm, lua, found \(written.isEmpty ? "none" : "both")")
      return nil
    }
    if let lua = fields["lua"] {
      let code = Fields(lua, luaSchema, fields.problems)?.required("inlineCode") {
        (node) throws(ConfigError) in
        let code = try node.text()
        guard code.utf8.count <= codeLimit else {
          throw node.invalid("expected at most \(codeLimit) bytes, found \(code.utf8.count)")
        }
        return code
      }
      return code.map(Filter.lua)
    }
    return fields.object("wasm", Schema(fields: WasmModule.fieldNames)).map {
      .wasm(WasmModule.decode($0))
    }
  }
}
