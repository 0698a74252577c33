// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension EnvoyFilter {
  private static let schema = Schema(
    fields: ["workloadSelector", "targetRefs", "configPatches", "priority"])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/envoy-filter/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> EnvoyFilter? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    fields.exclusive("workloadSelector", "targetRefs")
    var filter = EnvoyFilter(meta: meta, configPatches: [])
    filter.workloadSelector = fields["workloadSelector"].flatMap {
      LabelSelector.decode($0, field: "labels", problems)
    }
    filter.targetRefs = fields.targetReferences()
    filter.priority =
      fields.optional("priority") { (node) throws(ConfigError) in
        try node.integer(Int32.self)
      } ?? 0
    let patches = fields.optional("configPatches") { (node) throws(ConfigError) in
      try node.list()
    }
    filter.configPatches = (patches ?? []).enumerated().compactMap { index, node in
      ConfigPatch.decode(node, index: index, problems)
    }
    if patches?.isEmpty ?? !fields.has("configPatches") {
      problems.warning(.required, at: fields.path["configPatches"], "has no patches, so no effect")
    }
    return filter
  }
}

extension EnvoyFilter.ConfigPatch {
  private static let schema = Schema(fields: ["applyTo", "match", "patch"])
  private static let patchSchema = Schema(fields: ["operation", "value", "filterClass"])

  static func decode(
    _ node: Node, index: Int, _ problems: Problems
  ) -> EnvoyFilter.ConfigPatch? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let applyTo = fields.required("applyTo") { (node) throws(ConfigError) in
      try node.enumeration(EnvoyFilter.ApplyTo.self)
    }
    if !fields.has("patch") {
      problems.error(.required, at: fields.path["patch"], "is required")
    }
    let patch = fields.object("patch", patchSchema)
    let operation = patch?.required("operation") { (node) throws(ConfigError) in
      try node.enumeration(EnvoyFilter.Operation.self)
    }
    let value = patch?.optional("value") { (node) throws(ConfigError) in try node.jsonObject() }
    let filterClass = patch?.optional("filterClass") { (node) throws(ConfigError) in
      try node.enumeration(EnvoyFilter.FilterClass.self)
    }
    guard let applyTo, let patch, let operation else { return nil }
    var configPatch = EnvoyFilter.ConfigPatch(
      index: index, applyTo: applyTo, operation: operation,
      filterClass: filterClass ?? .unspecified,
      value: value)
    if let match = fields["match"] { configPatch.decodeMatch(match, problems) }
    configPatch.validate(patch: patch, at: node.path, problems)
    return configPatch
  }

  private mutating func decodeMatch(_ node: Node, _ problems: Problems) {
    let schema = Schema(
      fields: ["context", "proxy", "listener", "routeConfiguration", "cluster", "waypoint"])
    guard let fields = Fields(node, schema, problems) else { return }
    context =
      fields.optional("context") { (node) throws(ConfigError) in
        try node.enumeration(EnvoyFilter.Context.self)
      } ?? .any
    if context == .waypoint {
      problems.warning(
        .unsupported, at: fields.path["context"],
        "there are no waypoints in this version, so the patch applies nowhere")
    }
    if let proxy = fields["proxy"] { self.proxy = .decode(proxy, problems) ?? self.proxy }
    fields.exclusive("listener", "routeConfiguration", "cluster", "waypoint")
    if let listener = fields["listener"] {
      match =
        EnvoyFilter.ListenerMatch.decode(listener, applyTo, problems).map { .listener($0) }
        ?? .none
    } else if let route = fields["routeConfiguration"] {
      match = Self.kept(route, Self.routeSchemas, problems).map { .routeConfiguration($0) } ?? .none
    } else if let cluster = fields["cluster"] {
      let schema = Schema(fields: ["portNumber", "service", "subset", "name"])
      match = Self.kept(cluster, [schema], problems).map { .cluster($0) } ?? .none
    } else if let waypoint = fields["waypoint"] {
      let schema = Schema(fields: ["portNumber", "filter", "route"])
      match = Self.kept(waypoint, [schema], problems).map { .waypoint($0) } ?? .none
      problems.warning(
        .unsupported, at: waypoint.path,
        "there are no waypoints in this version, so the patch applies nowhere")
    }
  }

  private static let routeSchemas = [
    Schema(fields: ["portNumber", "portName", "gateway", "vhost", "name"]),
    Schema(fields: ["name", "domainName", "route"]), Schema(fields: ["name", "action"]),
  ]

  /// A match that is kept as it was written; the names of its fields are checked.
  private static func kept(
    _ node: Node, _ schemas: [Schema], _ problems: Problems
  ) -> JSONValue? {
    var nested = Fields(node, schemas[0], problems)
    for (name, schema) in zip(["vhost", "route"], schemas.dropFirst()) {
      nested = nested?.object(name, schema)
    }
    return problems.catching { () throws(ConfigError) in try node.jsonObject() }
  }
}

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

extension Fields {
  func string(_ name: String) -> String {
    optional(name) { (node) throws(ConfigError) in try node.string() } ?? ""
  }

  func strings(_ name: String) -> [String] {
    optional(name) { (node) throws(ConfigError) in try node.strings() } ?? []
  }

  func number(_ name: String) -> UInt32 {
    optional(name) { (node) throws(ConfigError) in try node.integer(UInt32.self) } ?? 0
  }

  func bool(_ name: String) -> Bool {
    optional(name) { (node) throws(ConfigError) in try node.bool() } ?? false
  }
}
