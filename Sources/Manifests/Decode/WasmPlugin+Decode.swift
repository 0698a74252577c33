// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension WasmPlugin {
  private static let schema = Schema(
    fields: [
      "selector", "targetRef", "targetRefs", "url", "sha256", "imagePullPolicy", "imagePullSecret",
      "verificationKey", "pluginConfig", "pluginName", "phase", "failStrategy", "priority",
      "vmConfig", "match", "type",
    ])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> WasmPlugin? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    fields.exclusive("selector", "targetRef", "targetRefs")
    let module = fields.required("url") { (node) throws(ConfigError) in
      try ModuleSource.decode(node)
    }
    // Without a module the object is refused, but its author should see all other mistakes too.
    var plugin = WasmPlugin(
      meta: meta, url: module?.url ?? "", source: module?.source ?? .file(path: ""))
    plugin.selector = fields["selector"].flatMap {
      LabelSelector.decode($0, field: "matchLabels", problems)
    }
    plugin.targetRefs = fields.targetReferences()
    plugin.sha256 = fields.optional("sha256") { (node) throws(ConfigError) in
      try checksum(node)
    }?.flatMap(\.self)
    plugin.imagePullPolicy =
      fields.optional("imagePullPolicy") { (node) throws(ConfigError) in
        try node.enumeration(PullPolicy.self)
      } ?? .unspecified
    plugin.imagePullSecret = fields.shortText("imagePullSecret", limit: 253)
    plugin.verificationKey = fields.optional("verificationKey") { (node) throws(ConfigError) in
      try node.string()
    }
    if plugin.verificationKey?.isEmpty == false {
      problems.warning(
        .unsupported, at: fields.path["verificationKey"],
        "signatures are not verified by this version; set sha256 to pin the module")
    }
    plugin.pluginConfig = fields.optional("pluginConfig") { (node) throws(ConfigError) in
      try node.jsonObject()
    }
    plugin.pluginName = fields.shortText("pluginName", limit: 256) ?? ""
    plugin.phase =
      fields.optional("phase") { (node) throws(ConfigError) in
        try node.enumeration(Phase.self)
      } ?? .unspecified
    plugin.failStrategy =
      fields.optional("failStrategy") { (node) throws(ConfigError) in
        try node.enumeration(FailStrategy.self)
      } ?? .failClose
    plugin.priority = fields.optional("priority") { (node) throws(ConfigError) in
      try node.integer(Int32.self)
    }
    plugin.env = environment(fields)
    plugin.match = fields.each("match") { TrafficSelector.decode($0, problems) }
    plugin.type =
      fields.optional("type") { (node) throws(ConfigError) in
        try node.enumeration(PluginType.self)
      } ?? .unspecified
    return plugin
  }

  /// Nil for the empty string, which is unset.
  private static func checksum(_ node: Node) throws(ConfigError) -> String? {
    let text = try node.string()
    if text.isEmpty { return nil }
    guard text.utf8.count == 64,
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else {
      throw node.invalid("expected 64 lower case hexadecimal digits, found \"\(text)\"")
    }
    return text
  }

  private static func environment(_ fields: Fields) -> [EnvVar] {
    guard let config = fields.object("vmConfig", Schema(fields: ["env"])) else { return [] }
    var names: Set<String> = []
    let variables = config.each("env") { node -> EnvVar? in
      guard let variable = EnvVar.decode(node, fields.problems) else { return nil }
      if !names.insert(variable.name).inserted {
        fields.problems.error(
          .conflict, at: node.path["name"], "\(variable.name) is already set in this list")
      }
      return variable
    }
    if variables.count > 256 {
      fields.problems.error(
        at: config.path["env"], "expected at most 256 variables, found \(variables.count)")
    }
    return variables
  }
}

extension WasmPlugin.EnvVar {
  private enum ValueFrom: String, CaseIterable {
    case inline = "INLINE"
    case host = "HOST"
  }

  static func decode(_ node: Node, _ problems: Problems) -> WasmPlugin.EnvVar? {
    guard let fields = Fields(node, Schema(fields: ["name", "valueFrom", "value"]), problems) else {
      return nil
    }
    let name = fields.required("name") { (node) throws(ConfigError) in try node.text() }
    if let name, name.utf8.count > 256 {
      problems.error(
        at: fields.path["name"], "expected at most 256 bytes, found \(name.utf8.count)")
    }
    let value = fields.shortText("value", limit: 2048)
    let from =
      fields.optional("valueFrom") { (node) throws(ConfigError) in
        try node.enumeration(ValueFrom.self)
      } ?? .inline
    guard let name else { return nil }
    switch from {
    case .inline: return WasmPlugin.EnvVar(name: name, source: .inline(value: value ?? ""))
    case .host:
      if value?.isEmpty == false {
        problems.error(
          .conflict, at: fields.path["value"], "must be empty where valueFrom is HOST")
      }
      return WasmPlugin.EnvVar(name: name, source: .host)
    }
  }
}

extension WasmPlugin.TrafficSelector {
  static func decode(_ node: Node, _ problems: Problems) -> WasmPlugin.TrafficSelector? {
    guard let fields = Fields(node, Schema(fields: ["mode", "ports"]), problems) else { return nil }
    let mode = fields.optional("mode") { (node) throws(ConfigError) in
      try node.enumeration(Mode.self)
    }
    let ports = fields.each("ports") { node -> UInt16? in
      Fields(node, Schema(fields: ["number"]), problems)?.required("number") {
        (node) throws(ConfigError) in try node.port()
      }
    }
    return WasmPlugin.TrafficSelector(mode: mode ?? .undefined, ports: ports)
  }
}

extension Fields {
  /// A text with at most so many bytes.
  func shortText(_ name: String, limit: Int) -> String? {
    optional(name) { (node) throws(ConfigError) in
      let text = try node.string()
      guard text.utf8.count <= limit else {
        throw node.invalid("expected at most \(limit) bytes, found \(text.utf8.count)")
      }
      return text
    }
  }
}
