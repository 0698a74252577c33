// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension WasmModule {
  static let fieldNames = [
    "url", "sha256", "imagePullPolicy", "imagePullSecret", "verificationKey", "pluginConfig",
    "pluginName", "failStrategy", "vmConfig", "type",
  ]

  /// Reads the fields of a WasmPlugin, of `wasm` of a TrafficExtension or of an extension provider.
  ///
  /// With `takesPaths`, a path from the root is a file without `file://`.
  static func decode(_ fields: Fields, takesPaths: Bool = false) -> WasmModule {
    let problems = fields.problems
    let found = fields.required("url") { (node) throws(ConfigError) in
      try ModuleSource.decode(node, takesPaths: takesPaths)
    }
    var module = WasmModule(url: found?.url ?? "", source: found?.source ?? .file(path: ""))
    module.sha256 = fields.optional("sha256") { (node) throws(ConfigError) in
      try checksum(node)
    }?.flatMap(\.self)
    module.imagePullPolicy =
      fields.optional("imagePullPolicy") { (node) throws(ConfigError) in
        try node.enumeration(PullPolicy.self)
      } ?? .unspecified
    module.imagePullSecret = pullSecret(fields)
    module.verificationKey = fields.optional("verificationKey") { (node) throws(ConfigError) in
      try node.string()
    }
    if module.verificationKey?.isEmpty == false {
      problems.warning(
        .unsupported, at: fields.path["verificationKey"],
        "signatures are not verified by this version; set sha256 to pin the module")
    }
    module.pluginConfig = fields.optional("pluginConfig") { (node) throws(ConfigError) in
      try node.jsonObject()
    }
    module.pluginName = fields.shortText("pluginName", limit: 256) ?? ""
    module.failStrategy =
      fields.optional("failStrategy") { (node) throws(ConfigError) in
        try node.enumeration(FailStrategy.self)
      } ?? .failClose
    module.env = environment(fields)
    module.type =
      fields.optional("type") { (node) throws(ConfigError) in
        try node.enumeration(PluginType.self)
      } ?? .unspecified
    return module
  }

  /// The name of a Secret: alone, or as `kubernetes://name` or `kubernetes://namespace/name`, of
  /// which the namespace does not count, as in Istio.
  private static func pullSecret(_ fields: Fields) -> String? {
    guard let text = fields.shortText("imagePullSecret", limit: 253), !text.isEmpty else {
      return nil
    }
    let path = fields.path["imagePullSecret"]
    guard let scheme = text.firstRange(of: "://") else { return text }
    let parts = text[scheme.upperBound...].split(separator: "/", omittingEmptySubsequences: false)
    guard text[..<scheme.lowerBound] == "kubernetes", parts.count <= 2,
      parts.allSatisfy({ !$0.isEmpty }), let name = parts.last
    else {
      // Whoever pastes the Secret itself here should not find it in a log.
      fields.problems.error(at: path, "expected the name of a Secret in the object's namespace")
      return nil
    }
    if parts.count == 2 {
      fields.problems.warning(
        .invalid, at: path,
        "the namespace \(parts[0]) is not looked at: a Secret is read from the "
          + "namespace of the object that names it")
    }
    return String(name)
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

extension WasmModule.EnvVar {
  private enum ValueFrom: String, CaseIterable {
    case inline = "INLINE"
    case host = "HOST"
  }

  static func decode(_ node: Node, _ problems: Problems) -> WasmModule.EnvVar? {
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
    case .inline: return WasmModule.EnvVar(name: name, source: .inline(value: value ?? ""))
    case .host:
      if value?.isEmpty == false {
        problems.error(
          .conflict, at: fields.path["value"], "must be empty where valueFrom is HOST")
      }
      return WasmModule.EnvVar(name: name, source: .host)
    }
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
