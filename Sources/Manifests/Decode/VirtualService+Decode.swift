// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService {
  private static let schema = Schema(
    fields: ["hosts", "gateways", "http", "exportTo"], unsupported: ["tls", "tcp"])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/virtual-service/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> VirtualService? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    var seen: Set<String> = []
    let hosts = fields.each("hosts") { node in
      problems.catching { () throws(ConfigError) in
        let host = try node.string()
        if !IPAddress.isAddress(host), let fault = DNSName.hostFault(host) {
          throw node.invalid("\"\(host)\" \(fault)")
        }
        guard seen.insert(host).inserted else {
          throw ConfigError(.conflict, at: node.path, reason: "\(host) is already listed")
        }
        return host
      }
    }
    let gateways = fields.strings("gateways")
    if fields.isMissingOrEmpty("hosts") {
      problems.warning(
        .unsupported, at: fields.path["hosts"],
        "a VirtualService without hosts is a delegate, which is not acted on by this version")
    } else if hosts.contains("*"), gateways.isEmpty || gateways.contains("mesh") {
      problems.error(
        at: fields.path["hosts"], "\"*\" may not be used for sidecars; name gateways")
    }
    for name in ["http", "tls", "tcp"] where fields.has(name) && fields.isMissingOrEmpty(name) {
      problems.error(.required, at: fields.path[name], "expected at least one route")
    }
    if spec["http"] == nil, spec["tls"] == nil, spec["tcp"] == nil {
      problems.error(.required, at: fields.path["http"], "expected one of http, tls, tcp")
    }
    let nodes = fields.optional("http") { (node) throws(ConfigError) in try node.list() } ?? []
    let routes = nodes.enumerated().compactMap { HTTPRoute.decode($1, index: $0, problems) }
    return VirtualService(
      meta: meta, hosts: hosts, gateways: gateways, exportTo: fields.strings("exportTo"),
      http: routes)
  }
}

extension VirtualService.HTTPRoute {
  private static let schema = Schema(
    fields: [
      "name", "match", "route", "redirect", "directResponse", "rewrite", "timeout", "headers",
      "delegate",
    ],
    unsupported: [
      "retries", "fault", "mirror", "mirrors", "mirrorPercent", "mirrorPercentage", "corsPolicy",
      // No field of Istio's, but written in many places: a provider that the route runs.
      "wasm",
    ])

  /// Reads one entry of `http`; nil also where it can never apply.
  static func decode(_ node: Node, index: Int, _ problems: Problems) -> VirtualService.HTTPRoute? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    if let delegate = fields["delegate"] {
      problems.warning(
        .unsupported, at: delegate.path,
        "delegation is not acted on by this version; the route is left out")
      return nil
    }
    let action = self.action(fields)
    let matches = fields.each("match") { VirtualService.HTTPMatch.decode($0, problems) }
    guard let action else { return nil }
    // A route whose every match was left out would match all requests.
    if matches.isEmpty, fields.count("match") > 0 { return nil }
    var route = VirtualService.HTTPRoute(index: index, action: action)
    route.name = fields.string("name")
    route.matches = matches
    if let rewrite = fields.object(
      "rewrite", Schema(fields: ["uri", "authority"], unsupported: ["uriRegexRewrite"]))
    {
      route.rewriteURI = rewrite.nonEmpty("uri")
      route.rewriteAuthority = rewrite.nonEmpty("authority")
      if case .redirect = action {
        problems.error(.conflict, at: rewrite.path, "may not be set together with redirect")
      }
    }
    route.timeout = fields.optional("timeout") { (node) throws(ConfigError) in
      let timeout = try node.duration()
      // Istio refuses 0s, but an author who writes it can only mean "none".
      guard timeout == .zero || timeout >= .milliseconds(1) else {
        throw node.expected("0s or at least 1ms")
      }
      return timeout
    }
    if let headers = fields["headers"] { route.headers = .decode(headers, problems) }
    return route
  }

  private static func action(_ fields: Fields) -> VirtualService.Action? {
    let problems = fields.problems
    let actions = ["route", "redirect", "directResponse"].filter(fields.has)
    guard actions.count == 1, let name = actions.first, let node = fields[name] else {
      problems.error(
        actions.isEmpty ? .required : .conflict, at: fields.path,
        "expected exactly one of route, redirect, directResponse, found "
          + (actions.isEmpty ? "none" : actions.joined(separator: ", ")))
      return nil
    }
    switch name {
    case "redirect":
      return VirtualService.Redirect.decode(node, problems).map(VirtualService.Action.redirect)
    case "directResponse":
      return VirtualService.DirectResponse.decode(node, problems)
        .map(VirtualService.Action.directResponse)
    default:
      let destinations = fields.each("route") {
        VirtualService.WeightedDestination.decode($0, problems)
      }
      let count = fields.count(name)
      if fields.isMissingOrEmpty(name) {
        problems.error(.required, at: node.path, "expected at least one destination")
      } else if destinations.count > 1, destinations.count == count,
        destinations.allSatisfy({ $0.weight == 0 })
      {
        problems.error(at: node.path, "the weights add up to 0; give one a weight above 0")
      }
      return .route(destinations)
    }
  }
}

extension Fields {
  /// A string, nil where it is missing or empty.
  func nonEmpty(_ name: String) -> String? {
    let text = string(name)
    return text.isEmpty ? nil : text
  }
}
