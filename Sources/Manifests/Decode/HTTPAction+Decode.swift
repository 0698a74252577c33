// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService.WeightedDestination {
  private static let schema = Schema(fields: ["destination", "weight", "headers"])

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.WeightedDestination? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    guard let destination = fields["destination"] else {
      problems.error(.required, at: fields.path["destination"], "is required")
      return nil
    }
    let weight = fields.optional("weight") { (node) throws(ConfigError) in
      try node.integer(UInt32.self, in: 0...UInt32(Int32.max))
    }
    guard let target = VirtualService.Destination.decode(destination, problems) else { return nil }
    return VirtualService.WeightedDestination(
      destination: target, weight: weight ?? 0,
      headers: fields["headers"].map { .decode($0, problems) } ?? VirtualService.Headers())
  }
}

extension VirtualService.Destination {
  private static let schema = Schema(fields: ["host", "subset", "port"])

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Destination? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let host = fields.required("host") { (node) throws(ConfigError) in
      let host = try node.string()
      if let fault = DNSName.hostFault(host) { throw node.invalid("\"\(host)\" \(fault)") }
      if host == "*" { throw node.invalid("\"*\" is no host to send requests to") }
      return host
    }
    let subset = fields.string("subset")
    let port = fields.object("port", Schema(fields: ["number"]))?.required("number") {
      (node) throws(ConfigError) in try node.port()
    }
    return host.map { VirtualService.Destination(host: $0, subset: subset, port: port) }
  }
}

extension VirtualService.Redirect {
  private static let schema = Schema(
    fields: ["uri", "authority", "scheme", "port", "derivePort", "redirectCode"])

  private enum DerivedPort: String, CaseIterable {
    case protocolDefault = "FROM_PROTOCOL_DEFAULT"
    case requestPort = "FROM_REQUEST_PORT"
  }

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Redirect? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var redirect = VirtualService.Redirect()
    redirect.uri = fields.line("uri")
    redirect.authority = fields.line("authority")
    redirect.scheme = fields.string("scheme")
    if !["", "http", "https"].contains(redirect.scheme) {
      problems.error(
        at: fields.path["scheme"], "expected http or https, found \"\(redirect.scheme)\"")
    }
    fields.exclusive("port", "derivePort")
    redirect.port = fields.optional("port") { (node) throws(ConfigError) in
      .number(try node.port())
    }
    let derived = fields.optional("derivePort") { (node) throws(ConfigError) in
      try node.enumeration(DerivedPort.self)
    }
    if let derived {
      redirect.port = derived == .requestPort ? .requestPort : .protocolDefault
    }
    if let code = fields.optional(
      "redirectCode", { (node) throws(ConfigError) in try node.integer(UInt32.self) }), code != 0
    {
      redirect.code = code
      if ![301, 302, 303, 307, 308].contains(code) {
        problems.error(
          at: fields.path["redirectCode"], "expected 301, 302, 303, 307 or 308, found \(code)")
      }
    }
    if redirect.uri.isEmpty, redirect.authority.isEmpty, redirect.scheme.isEmpty,
      redirect.port == nil, !fields.has("port"), !fields.has("derivePort")
    {
      problems.error(
        .required, at: node.path,
        "expected a target: one of uri, authority, scheme, port, derivePort")
    }
    return redirect
  }
}

extension VirtualService.DirectResponse {
  private static let bodySchema = Schema(fields: ["string", "bytes"])
  /// Istio's limit; Envoy's own default is 4 KiB and is raised to this.
  private static let bodyLimit = 1 << 20
  /// Where Istio warns: the body is part of every copy of the routes.
  private static let largeBody = 100 << 10

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.DirectResponse? {
    guard let fields = Fields(node, Schema(fields: ["status", "body"]), problems) else {
      return nil
    }
    let status = fields.required("status") { (node) throws(ConfigError) in
      try node.integer(UInt32.self, in: 200...599)
    }
    let body = fields.object("body", bodySchema)
    body?.exclusive("string", "bytes")
    let bytes =
      body?.optional("bytes") { (node) throws(ConfigError) in
        guard let bytes = Base64.decode(try node.string()) else {
          throw node.invalid("expected Base64 text")
        }
        return bytes
      } ?? Array((body?.string("string") ?? "").utf8)
    if bytes.count > bodyLimit {
      problems.error(at: fields.path["body"], "expected at most 1 MiB, found \(bytes.count) bytes")
    } else if bytes.count > largeBody {
      problems.warning(
        .invalid, at: fields.path["body"],
        "\(bytes.count) bytes go to every proxy with each change of its routes; let a service "
          + "answer with what is larger than 100 KiB")
    }
    return status.map { VirtualService.DirectResponse(status: $0, body: bytes) }
  }
}

extension VirtualService.Rewrite {
  private static let schema = Schema(fields: ["uri", "authority", "uriRegexRewrite"])

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Rewrite? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    fields.exclusive("uri", "uriRegexRewrite")
    var rewrite = VirtualService.Rewrite(authority: fields.line("authority"))
    let uri = fields.line("uri")
    if !uri.isEmpty { rewrite.path = .prefix(uri) }
    if let regex = fields.object("uriRegexRewrite", Schema(fields: ["match", "rewrite"])) {
      let match = regex.required("match") { (node) throws(ConfigError) in
        let pattern = try node.text()
        if let fault = RegularExpression.fault(in: pattern) {
          throw node.expected("a regular expression in RE2 syntax", remedy: ": \(fault)")
        }
        return pattern
      }
      let substitution = regex.required("rewrite") { (node) throws(ConfigError) in
        let text = try node.line()
        if let match, let fault = RegularExpression.fault(inSubstitution: text, for: match) {
          throw node.invalid(fault)
        }
        return text
      }
      if let match, let substitution {
        rewrite.path = .regex(match: match, substitution: substitution)
      }
    }
    if rewrite.path == nil, rewrite.authority.isEmpty, !fields.has("uriRegexRewrite") {
      problems.error(
        .required, at: node.path, "expected one of uri, authority, uriRegexRewrite")
    }
    return rewrite
  }
}
