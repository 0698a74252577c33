// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension MeshConfig.ExtensionProvider {
  private static let otherKinds = [
    "envoyExtAuthzHttp", "envoyExtAuthzGrpc", "zipkin", "lightstep", "datadog", "stackdriver",
    "opencensus", "skywalking", "opentelemetry", "prometheus", "envoyFileAccessLog", "envoyHttpAls",
    "envoyTcpAls", "envoyOtelAls", "sds",
  ]
  private static let schema = Schema(fields: ["name", "wasm"] + otherKinds)

  /// Reads `extensionProviders`.
  static func list(_ fields: Fields) -> [MeshConfig.ExtensionProvider] {
    let nodes =
      fields.optional("extensionProviders") { (node) throws(ConfigError) in try node.list() } ?? []
    var names: Set<String> = []
    return nodes.enumerated().compactMap { index, node in
      guard let provider = decode(node, index: index, fields.problems) else { return nil }
      if !names.insert(provider.name).inserted {
        fields.problems.error(
          .conflict, at: node.path["name"], "\(provider.name) is already the name of a provider")
      }
      return provider
    }
  }

  private static func decode(
    _ node: Node, index: Int, _ problems: Problems
  ) -> MeshConfig.ExtensionProvider? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let name = fields.required("name") { (node) throws(ConfigError) in try node.text() }
    let kinds = (["wasm"] + otherKinds).filter(fields.has)
    guard kinds.count == 1, let kind = kinds.first, let provider = fields[kind] else {
      let found = kinds.isEmpty ? "none" : kinds.joined(separator: ", ")
      problems.error(
        kinds.isEmpty ? .required : .conflict, at: node.path,
        "expected exactly one kind of provider, found \(found)")
      return nil
    }
    guard kind == "wasm" else {
      problems.warning(.unsupported, at: provider.path, "is not acted on by this version")
      return name.map { .init(name: $0, provider: .other(kind: kind, provider.json), index: index) }
    }
    let module = MeshConfig.WasmProvider.decode(provider, problems)
    guard let name, let module else { return nil }
    return .init(name: name, provider: .wasm(module), index: index)
  }
}

extension MeshConfig.WasmProvider {
  private static let schema = Schema(fields: WasmModule.fieldNames + ["phase", "priority"])

  /// Reads `wasm` of a provider: the fields of a WasmPlugin, but for those that select workloads.
  fileprivate static func decode(_ node: Node, _ problems: Problems) -> MeshConfig.WasmProvider? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let module = WasmModule.decode(fields, takesPaths: true)
    if module.type == .network {
      problems.error(
        at: fields.path["type"],
        "a provider is for routes, which are HTTP; use a WasmPlugin for connections")
    }
    let (phase, priority) = PluginPlacement.order(fields)
    return MeshConfig.WasmProvider(
      module: module, phase: phase, priority: priority,
      version: "\(ContentHash(of: node.json.description.utf8))")
  }
}
