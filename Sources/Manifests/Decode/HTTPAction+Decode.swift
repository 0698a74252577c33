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
    fields: ["uri", "authority", "scheme", "port", "redirectCode"], unsupported: ["derivePort"])

  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Redirect? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var redirect = VirtualService.Redirect()
    redirect.uri = fields.string("uri")
    redirect.authority = fields.string("authority")
    redirect.scheme = fields.string("scheme")
    if !["", "http", "https"].contains(redirect.scheme) {
      problems.error(
        at: fields.path["scheme"], "expected http or https, found \"\(redirect.scheme)\"")
    }
    redirect.port = fields.optional("port") { (node) throws(ConfigError) in try node.port() }
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
      redirect.port == nil, node["derivePort"] == nil
    {
      problems.error(
        .required, at: node.path, "expected a target: one of uri, authority, scheme, port")
    }
    return redirect
  }
}

extension VirtualService.DirectResponse {
  private static let bodySchema = Schema(fields: ["string", "bytes"])
  /// Istio's limit; Envoy's own default is 4 KiB and is raised to this.
  private static let bodyLimit = 1 << 20

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
    }
    return status.map { VirtualService.DirectResponse(status: $0, body: bytes) }
  }
}

extension VirtualService.Headers {
  static func decode(_ node: Node, _ problems: Problems) -> VirtualService.Headers {
    var headers = VirtualService.Headers()
    guard let fields = Fields(node, Schema(fields: ["request", "response"]), problems) else {
      return headers
    }
    headers.request = operations(fields, "request")
    headers.response = operations(fields, "response")
    return headers
  }

  private static func operations(
    _ fields: Fields, _ name: String
  ) -> VirtualService.HeaderOperations {
    var operations = VirtualService.HeaderOperations()
    guard let fields = fields.object(name, Schema(fields: ["set", "add", "remove"])) else {
      return operations
    }
    func map(_ name: String) -> [String: String] {
      let map =
        fields.optional(name) { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
      for header in map.keys.sorted() { check(header, at: fields.path[name][header]) }
      return map
    }
    func check(_ header: String, at path: FieldPath) {
      if let fault = HeaderName.fault(header) {
        fields.problems.error(at: path, "the header name \(fault)")
      }
    }
    operations.set = map("set")
    operations.add = map("add")
    operations.remove = fields.strings("remove")
    for (index, header) in operations.remove.enumerated() {
      check(header, at: fields.path["remove"][index])
    }
    return operations
  }
}
