// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension Sidecar {
  private static let schema = Schema(fields: [
    "workloadSelector", "ingress", "egress", "inboundConnectionPool", "outboundTrafficPolicy",
  ])
  private static let policySchema = Schema(fields: ["mode"], unsupported: ["egressProxy"])

  private enum OutboundMode: String, CaseIterable {
    case allowAny = "ALLOW_ANY"
    case registryOnly = "REGISTRY_ONLY"
  }

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/sidecar/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> Sidecar? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    var sidecar = Sidecar(meta: meta)
    sidecar.workloadSelector = fields["workloadSelector"].flatMap {
      LabelSelector.decode($0, field: "labels", problems)
    }
    for (index, node) in fields.each("egress", { $0 }).enumerated() {
      guard let listener = EgressListener.decode(node, index, problems) else { continue }
      sidecar.egress.append(listener)
    }
    for (index, node) in fields.each("ingress", { $0 }).enumerated() {
      guard let listener = IngressListener.decode(node, index, problems) else { continue }
      sidecar.ingress.append(listener)
    }
    sidecar.inboundConnectionPool = fields["inboundConnectionPool"].flatMap {
      ConnectionPool.decode($0, problems)
    }
    let mode = fields.object("outboundTrafficPolicy", policySchema)?.optional("mode") {
      (node) throws(ConfigError) in try node.enumeration(OutboundMode.self)
    }
    sidecar.allowsAnyOutbound =
      mode.map { $0 == .allowAny } ?? (fields.has("outboundTrafficPolicy") ? false : nil)
    sidecar.validate(fields)
    return sidecar
  }

  private func validate(_ fields: Fields) {
    let problems = fields.problems
    if egress.isEmpty, ingress.isEmpty, fields.count("egress") + fields.count("ingress") == 0,
      allowsAnyOutbound == nil, inboundConnectionPool == nil
    {
      problems.warning(.required, at: fields.path, "says nothing, so it has no effect")
    }
    var addresses: Set<String> = []
    for listener in egress {
      let number = listener.port.map { "port \($0.number)" } ?? "the listener without a port"
      let address = listener.bind.isEmpty ? number : "\(number) of \(listener.bind)"
      if listener.port == nil, listener.index < egress.count - 1 {
        problems.error(
          .conflict, at: listener.path,
          "a listener without a port takes what others leave, and must be the last one")
      }
      if !addresses.insert(address).inserted {
        problems.error(.conflict, at: listener.path["port"], "\(address) is already taken")
      }
    }
    var ports: Set<UInt16> = []
    for listener in ingress where !ports.insert(listener.port.number).inserted {
      problems.error(
        .conflict, at: listener.path["port"]["number"],
        "port \(listener.port.number) is already taken")
    }
  }
}

extension Sidecar.EgressListener {
  private static let schema = Schema(fields: ["port", "bind", "captureMode", "hosts"])

  fileprivate static func decode(
    _ node: Node, _ index: Int, _ problems: Problems
  ) -> Sidecar.EgressListener? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let hosts = fields.each("hosts") { node in
      problems.catching { () throws(ConfigError) in try Sidecar.Host(node) }
    }
    if fields.isMissingOrEmpty("hosts") {
      problems.error(.required, at: fields.path["hosts"], "expected at least one namespace/host")
    }
    let port = fields["port"].flatMap { Sidecar.Port.decode($0, problems) }
    if fields.has("port"), port == nil { return nil }
    if port == nil {
      for name in ["bind", "captureMode"] where fields.has(name) && fields.string(name) != "DEFAULT"
      {
        problems.warning(.invalid, at: fields.path[name], "has no effect without port")
      }
    }
    return Sidecar.EgressListener(
      index: index, port: port, bind: fields.bind(), captureMode: fields.captureMode(),
      hosts: hosts)
  }
}

extension Sidecar.IngressListener {
  private static let schema = Schema(
    fields: ["port", "bind", "captureMode", "defaultEndpoint", "connectionPool"],
    unsupported: ["tls"])

  fileprivate static func decode(
    _ node: Node, _ index: Int, _ problems: Problems
  ) -> Sidecar.IngressListener? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    if !fields.has("port") {
      problems.error(.required, at: fields.path["port"], "is required")
    }
    guard let port = fields["port"].flatMap({ Sidecar.Port.decode($0, problems) }) else {
      return nil
    }
    let endpoint = fields.optional("defaultEndpoint") { (node) throws(ConfigError) in
      try Sidecar.Endpoint(node)
    }
    if fields.has("defaultEndpoint"), endpoint == nil { return nil }
    var listener = Sidecar.IngressListener(
      index: index, port: port, bind: fields.bind(), captureMode: fields.captureMode(),
      endpoint: endpoint ?? .loopback(port: port.number))
    listener.connectionPool = fields["connectionPool"].flatMap {
      ConnectionPool.decode($0, problems)
    }
    if listener.captureMode == .none, endpoint == nil {
      problems.error(
        .required, at: fields.path["defaultEndpoint"],
        "is required with captureMode NONE: the proxy itself has the port")
    }
    return listener
  }
}

extension Sidecar.Port {
  private static let schema = Schema(
    fields: ["number", "name", "protocol"], ignored: ["targetPort"])

  fileprivate static func decode(_ node: Node, _ problems: Problems) -> Sidecar.Port? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let number = fields.required("number") { (node) throws(ConfigError) in try node.port() }
    let portProtocol = fields.optional("protocol") { (node) throws(ConfigError) in
      let name = try node.string()
      if let known = ServiceProtocol(rawValue: name.uppercased()) { return known }
      return try node.enumeration(ServiceProtocol.self)
    }
    guard let number else { return nil }
    return Sidecar.Port(
      number: number, name: fields.string("name"), portProtocol: portProtocol ?? .unspecified)
  }
}

extension Sidecar.Host {
  fileprivate init(_ node: Node) throws(ConfigError) {
    let text = try node.string()
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw node.expected("namespace/host", remedy: "; write */\(text) for any namespace")
    }
    let namespace: Namespace =
      switch parts[0] {
      case "*": .any
      case ".": .own
      case "~": .none
      default: .named(parts[0])
      }
    if case .named(let name) = namespace, let fault = DNSName.labelFault(name) {
      throw node.invalid("\"\(name)\" \(fault)")
    }
    if let fault = DNSName.hostFault(parts[1]) { throw node.invalid("\"\(parts[1])\" \(fault)") }
    self.init(namespace: namespace, dnsName: parts[1])
  }
}

extension Sidecar.Endpoint {
  fileprivate init(_ node: Node) throws(ConfigError) {
    let text = try node.text()
    if text.hasPrefix("unix://") {
      self = .socket(path: String(text.dropFirst(7)))
      return
    }
    let form = "127.0.0.1:port, 0.0.0.0:port, the same for IPv6, or unix:// and a path"
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...]), port > 0
    else { throw node.expected(form) }
    switch text[..<colon] {
    case "127.0.0.1", "[::1]", "localhost": self = .loopback(port: port)
    case "0.0.0.0", "[::]": self = .instance(port: port)
    default: throw node.expected(form)
    }
  }
}

extension Fields {
  fileprivate func bind() -> String {
    optional("bind") { (node) throws(ConfigError) in
      let address = try node.string()
      if address.hasPrefix("unix://") {
        throw ConfigError(
          .unsupported, at: node.path,
          reason: "Unix domain sockets are not listened on by this version; name an IP address")
      }
      guard address.isEmpty || IPAddress.isAddress(address) else {
        throw node.expected("an IP address")
      }
      return address
    } ?? ""
  }

  fileprivate func captureMode() -> Sidecar.CaptureMode {
    optional("captureMode") { (node) throws(ConfigError) in
      try node.enumeration(Sidecar.CaptureMode.self)
    } ?? .default
  }
}
