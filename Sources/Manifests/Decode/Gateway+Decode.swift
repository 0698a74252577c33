// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension Gateway {
  private static let schema = Schema(fields: ["servers", "selector", "wasm"])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/gateway/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> Gateway? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let selector = fields.optional("selector") { (node) throws(ConfigError) in
      try node.stringMap()
    }
    let nodes = fields.required("servers") { (node) throws(ConfigError) in try node.list() }
    if let nodes, nodes.isEmpty {
      problems.error(.required, at: fields.path["servers"], "expected at least one server")
    }
    var portNames: Set<String> = []
    let servers = (nodes ?? []).enumerated().compactMap { index, node -> Server? in
      guard let server = Server.decode(node, index: index, problems) else { return nil }
      if !portNames.insert(server.portName).inserted {
        problems.error(
          .conflict, at: node.path["port"]["name"],
          "the port name \(server.portName) is already used by another server")
      }
      return server
    }
    var gateway = Gateway(
      meta: meta, selector: LabelSelector(matchLabels: selector ?? [:]), servers: servers)
    gateway.plugins = PluginReference.list(fields)
    return gateway
  }
}

extension Gateway.Host {
  /// `dnsName`, `namespace/dnsName`, `./dnsName`, `*/dnsName` or `~/dnsName`.
  static func decode(_ node: Node, _ problems: Problems) -> Gateway.Host? {
    problems.catching { () throws(ConfigError) in
      let text = try node.string()
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard let dnsName = parts.last, parts.count <= 2 else {
        throw node.expected("a host as namespace/dnsName")
      }
      if let fault = DNSName.hostFault(dnsName) { throw node.invalid("\"\(dnsName)\" \(fault)") }
      guard parts.count == 2 else { return Gateway.Host(dnsName: dnsName) }
      switch parts[0] {
      case "*": return Gateway.Host(namespace: .any, dnsName: dnsName)
      case ".": return Gateway.Host(namespace: .own, dnsName: dnsName)
      case "~": return Gateway.Host(namespace: .none, dnsName: dnsName)
      default:
        if let fault = DNSName.labelFault(parts[0]) {
          throw node.invalid("the namespace \"\(parts[0])\" \(fault)")
        }
        return Gateway.Host(namespace: .named(parts[0]), dnsName: dnsName)
      }
    }
  }
}
