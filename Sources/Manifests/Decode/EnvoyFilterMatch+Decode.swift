// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The matches of EnvoyFilter's patches
/// (https://istio.io/latest/docs/reference/config/networking/envoy-filter/).
extension EnvoyFilter.ProxyMatch {
  static func decode(_ node: Node, _ problems: Problems) -> EnvoyFilter.ProxyMatch? {
    guard let fields = Fields(node, Schema(fields: ["proxyVersion", "metadata"]), problems) else {
      return nil
    }
    var match = EnvoyFilter.ProxyMatch()
    match.proxyVersion =
      fields.optional("proxyVersion") { (node) throws(ConfigError) in
        let pattern = try node.string()
        if pattern.utf8.count > 1024 {
          throw node.invalid("expected at most 1024 bytes, found \(pattern.utf8.count)")
        }
        if let fault = RegularExpression.fault(in: pattern) {
          throw node.expected("a regular expression in RE2 syntax", remedy: ": \(fault)")
        }
        return pattern
      } ?? ""
    match.metadata =
      fields.optional("metadata") { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
    return match
  }
}

extension EnvoyFilter.ListenerMatch {
  private static let schema = Schema(
    fields: ["portNumber", "portName", "filterChain", "listenerFilter", "name"])
  private static let chainSchema = Schema(
    fields: [
      "name", "sni", "transportProtocol", "applicationProtocols", "filter", "destinationPort",
    ])

  static func decode(
    _ node: Node, _ applyTo: EnvoyFilter.ApplyTo, _ problems: Problems
  ) -> EnvoyFilter.ListenerMatch? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var match = EnvoyFilter.ListenerMatch()
    match.portNumber = fields.number("portNumber")
    match.portName = fields.string("portName")
    if !match.portName.isEmpty {
      problems.warning(
        .unsupported, at: fields.path["portName"],
        "is not matched on, as in Istio; use portNumber or name")
    }
    match.name = fields.string("name")
    match.listenerFilter = fields.string("listenerFilter")
    if let chain = fields.object("filterChain", chainSchema) {
      var chainMatch = FilterChainMatch()
      chainMatch.name = chain.string("name")
      chainMatch.sni = chain.string("sni")
      chainMatch.transportProtocol = chain.string("transportProtocol")
      chainMatch.applicationProtocols = chain.string("applicationProtocols")
      chainMatch.destinationPort = chain.number("destinationPort")
      chainMatch.filter = chain["filter"].flatMap { FilterMatch.decode($0, applyTo, problems) }
      match.filterChain = chainMatch
    }
    return match
  }
}

extension EnvoyFilter.ListenerMatch.FilterMatch {
  /// Names of the HTTP connection manager, the second from before Envoy 1.14.
  private static let connectionManagers = [
    "envoy.filters.network.http_connection_manager", "envoy.http_connection_manager",
  ]

  static func decode(
    _ node: Node, _ applyTo: EnvoyFilter.ApplyTo, _ problems: Problems
  ) -> EnvoyFilter.ListenerMatch.FilterMatch? {
    guard let fields = Fields(node, Schema(fields: ["name", "subFilter"]), problems) else {
      return nil
    }
    if applyTo == .listener || applyTo == .filterChain {
      problems.warning(.invalid, at: node.path, "is not used with applyTo \(applyTo.rawValue)")
    }
    let name = fields.required("name") { (node) throws(ConfigError) in try node.text() }
    var match = EnvoyFilter.ListenerMatch.FilterMatch(name: name ?? "")
    if let subFilter = fields.object("subFilter", Schema(fields: ["name"])) {
      match.subFilter = subFilter.required("name") { (node) throws(ConfigError) in
        try node.text()
      }
      if applyTo != .httpFilter {
        problems.error(
          at: subFilter.path, "may only be set with applyTo HTTP_FILTER, found \(applyTo.rawValue)")
      } else if let name, !connectionManagers.contains(name) {
        problems.error(
          at: subFilter.path, "may only be set where filter.name is \(connectionManagers[0])")
      }
    }
    return name == nil ? nil : match
  }
}

extension EnvoyFilter.RouteConfigurationMatch {
  static func decode(
    _ node: Node, _ problems: Problems
  ) -> EnvoyFilter.RouteConfigurationMatch? {
    let schema = Schema(fields: ["portNumber", "portName", "gateway", "vhost", "name"])
    guard let fields = Fields(node, schema, problems) else { return nil }
    var match = EnvoyFilter.RouteConfigurationMatch()
    match.portNumber = fields.number("portNumber")
    match.portName = fields.string("portName")
    match.gateway = fields.string("gateway")
    match.name = fields.string("name")
    if !match.gateway.isEmpty, match.gateway.split(separator: "/").count != 2 {
      problems.warning(
        .invalid, at: fields.path["gateway"],
        "expected namespace/name of a Gateway, found \"\(match.gateway)\"; nothing has that name")
    }
    if let host = fields.object("vhost", Schema(fields: ["name", "domainName", "route"])) {
      var hostMatch = VirtualHostMatch()
      hostMatch.name = host.string("name")
      hostMatch.domainName = host.string("domainName")
      if let route = host.object("route", Schema(fields: ["name", "action"])) {
        var routeMatch = RouteMatch()
        routeMatch.name = route.string("name")
        routeMatch.action =
          route.optional("action") { (node) throws(ConfigError) in
            try node.enumeration(RouteAction.self)
          } ?? .any
        hostMatch.route = routeMatch
      }
      match.virtualHost = hostMatch
    }
    return match
  }
}

extension EnvoyFilter.ClusterMatch {
  static func decode(_ node: Node, _ problems: Problems) -> EnvoyFilter.ClusterMatch? {
    let schema = Schema(fields: ["portNumber", "service", "subset", "name"])
    guard let fields = Fields(node, schema, problems) else { return nil }
    var match = EnvoyFilter.ClusterMatch()
    match.portNumber = fields.number("portNumber")
    match.service = fields.string("service")
    match.subset = fields.string("subset")
    match.name = fields.string("name")
    if !match.name.isEmpty,
      match.portNumber != 0 || !match.service.isEmpty || !match.subset.isEmpty
    {
      problems.warning(
        .conflict, at: fields.path["name"],
        "where the name is given, portNumber, service and subset are not compared, as in Istio")
    }
    return match
  }
}
