// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension Gateway {
  private static let schema = Schema(fields: ["servers", "selector"])

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
    return Gateway(
      meta: meta, selector: LabelSelector(matchLabels: selector ?? [:]), servers: servers)
  }
}

extension Gateway.Server {
  private static let schema = Schema(
    fields: ["port", "bind", "hosts", "tls", "name"], unsupported: ["defaultEndpoint"])
  private static let portSchema = Schema(
    fields: ["number", "protocol", "name", "targetPort"])
  private static let tlsSchema = Schema(
    fields: ["httpsRedirect", "mode"],
    unsupported: [
      "serverCertificate", "privateKey", "caCertificates", "caCrl", "credentialName",
      "credentialNames", "caCertCredentialName", "tlsCertificates", "subjectAltNames",
      "verifyCertificateSpki", "verifyCertificateHash", "minProtocolVersion", "maxProtocolVersion",
      "cipherSuites",
    ])

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
    let tls = fields.object("tls", tlsSchema)
    let redirect = tls?.bool("httpsRedirect") ?? false
    guard let number, let portName, let portProtocol else { return nil }
    let mode = tls?["mode"]
    if portProtocol == .https || portProtocol == .tls {
      if tls == nil, !fields.has("tls") {
        problems.error(
          .required, at: fields.path["tls"], "is required for \(portProtocol.rawValue)")
      }
    } else if let mode {
      problems.error(
        at: mode.path, "\(portProtocol.rawValue) has no TLS; use HTTPS or TLS, or drop tls.mode")
    }
    if !portProtocol.isPlainHTTP {
      problems.warning(
        .unsupported, at: node.path["port"]["protocol"],
        "\(portProtocol.rawValue) servers are not acted on by this version")
    }
    return Gateway.Server(
      index: index, port: number, portName: portName, portProtocol: portProtocol, bind: bind ?? "",
      hosts: hosts, name: fields.string("name"), hasTLS: fields.has("tls"), httpsRedirect: redirect)
  }

  private static func protocolName(_ node: Node) throws(ConfigError) -> Gateway.PortProtocol {
    let name = try node.string()
    // Istio reads protocol names in any case.
    if let known = Gateway.PortProtocol(rawValue: name.uppercased()) { return known }
    return try node.enumeration(Gateway.PortProtocol.self)
  }
}

extension Gateway.Host {
  /// `dnsName`, `namespace/dnsName`, `./dnsName` or `*/dnsName`.
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
      default:
        if let fault = DNSName.labelFault(parts[0]) {
          throw node.invalid("the namespace \"\(parts[0])\" \(fault)")
        }
        return Gateway.Host(namespace: .named(parts[0]), dnsName: dnsName)
      }
    }
  }
}
