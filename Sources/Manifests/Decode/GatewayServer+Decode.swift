// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension Gateway.Server {
  private static let schema = Schema(
    fields: ["port", "bind", "hosts", "tls", "name"], unsupported: ["defaultEndpoint"])
  private static let portSchema = Schema(
    fields: ["number", "protocol", "name", "targetPort"])

  /// Reads one entry of `servers`.
  static func decode(_ node: Node, index: Int, _ problems: Problems) -> Gateway.Server? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    if !fields.has("port") { problems.error(.required, at: fields.path["port"], "is required") }
    let port = fields.object("port", portSchema)
    let number = port?.required("number") { (node) throws(ConfigError) in try node.port() }
    let portName = port?.required("name") { (node) throws(ConfigError) in try node.text() }
    let portProtocol = port?.required("protocol") { (node) throws(ConfigError) in
      try protocolName(node)
    }
    if let target = port?["targetPort"] {
      problems.error(at: target.path, "may not be set: the Service in front maps the port")
    }
    let bind = fields.optional("bind") { (node) throws(ConfigError) in
      let bind = try node.string()
      guard bind.isEmpty || bind.hasPrefix("unix://") || IPAddress.isAddress(bind) else {
        throw node.expected("an IP address")
      }
      return bind
    }
    let hosts = fields.each("hosts") { Gateway.Host.decode($0, problems) }
    if fields.isMissingOrEmpty("hosts") {
      problems.error(.required, at: fields.path["hosts"], "expected at least one host")
    }
    guard let number, let portName, let portProtocol else { return nil }
    if portProtocol.isTLS, !fields.has("tls") {
      problems.error(
        .required, at: fields.path["tls"], "is required for \(portProtocol.rawValue)")
    }
    let tls = fields["tls"].flatMap {
      Gateway.TLSSettings.decode($0, of: portProtocol, problems)
    }
    return Gateway.Server(
      index: index, port: number, portName: portName, portProtocol: portProtocol, bind: bind ?? "",
      hosts: hosts, name: fields.string("name"), tls: tls)
  }

  private static func protocolName(_ node: Node) throws(ConfigError) -> Gateway.PortProtocol {
    let name = try node.string()
    // Istio reads protocol names in any case.
    if let known = Gateway.PortProtocol(rawValue: name.uppercased()) { return known }
    return try node.enumeration(Gateway.PortProtocol.self)
  }
}
