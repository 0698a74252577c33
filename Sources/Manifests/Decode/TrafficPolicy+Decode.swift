// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension TrafficPolicy {
  private static let members = ["loadBalancer", "connectionPool", "outlierDetection", "tls"]
  private static let schema = Schema(
    fields: members + ["portLevelSettings", "retryBudget"],
    unsupported: ["tunnel", "proxyProtocol"])
  private static let portSchema = Schema(fields: ["port"] + members)

  static func decode(_ node: Node, _ problems: Problems) -> TrafficPolicy? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var policy = decode(fields)
    policy.retryBudget = fields["retryBudget"].flatMap { RetryBudget.decode($0, problems) }
    for node in fields.each("portLevelSettings", { $0 }) {
      guard let settings = Fields(node, portSchema, problems) else { continue }
      guard let port = settings.object("port", Schema(fields: ["number"])) else {
        problems.error(.required, at: node.path["port"], "is required")
        continue
      }
      let number = port.required("number") { (node) throws(ConfigError) in try node.port() }
      guard let number else { continue }
      if policy.portLevelSettings.updateValue(decode(settings), forKey: number) != nil {
        problems.error(.conflict, at: port.path["number"], "port \(number) has settings already")
      }
    }
    return policy
  }

  private static func decode(_ fields: Fields) -> TrafficPolicy {
    let problems = fields.problems
    var policy = TrafficPolicy()
    policy.connectionPool = fields["connectionPool"].flatMap {
      ConnectionPool.decode($0, problems)
    }
    policy.outlierDetection = fields["outlierDetection"].flatMap {
      OutlierDetection.decode($0, problems)
    }
    policy.loadBalancer = fields["loadBalancer"].flatMap { LoadBalancer.decode($0, problems) }
    policy.tls = fields["tls"].flatMap { ClientTLS.decode($0, problems) }
    let locality = policy.loadBalancer?.locality
    if policy.outlierDetection == nil, let locality,
      !locality.failover.isEmpty || !locality.failoverPriority.isEmpty
    {
      problems.warning(
        .required, at: fields.path["outlierDetection"],
        "is needed for failover: without it no endpoint is ever found to be down")
    }
    return policy
  }
}

extension RetryBudget {
  fileprivate static func decode(_ node: Node, _ problems: Problems) -> RetryBudget? {
    let schema = Schema(fields: ["percent", "minRetryConcurrency"])
    guard let fields = Fields(node, schema, problems) else { return nil }
    var budget = RetryBudget()
    budget.percent = fields.percent("percent") ?? budget.percent
    budget.minimumConcurrency =
      fields.has("minRetryConcurrency")
      ? fields.number("minRetryConcurrency") : budget.minimumConcurrency
    return budget
  }
}

extension ConnectionPool {
  private static let tcpSchema = Schema(fields: [
    "maxConnections", "connectTimeout", "tcpKeepalive", "maxConnectionDuration", "idleTimeout",
  ])
  private static let httpSchema = Schema(fields: [
    "http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries",
    "idleTimeout", "h2UpgradePolicy", "useClientProtocol", "maxConcurrentStreams",
  ])

  static func decode(_ node: Node, _ problems: Problems) -> ConnectionPool? {
    guard let fields = Fields(node, Schema(fields: ["tcp", "http"]), problems) else { return nil }
    if !fields.has("tcp"), !fields.has("http") {
      problems.error(.required, at: node.path, "expected tcp, http or both")
    }
    var pool = ConnectionPool()
    if let tcp = fields.object("tcp", tcpSchema) {
      pool.maxConnections = tcp.limit("maxConnections")
      pool.connectTimeout = tcp.duration("connectTimeout", atLeast: .milliseconds(1))
      pool.maxConnectionDuration = tcp.duration(
        "maxConnectionDuration", atLeast: .milliseconds(1))
      pool.tcpIdleTimeout = tcp.duration("idleTimeout", atLeast: .zero)
      pool.tcpKeepAlive = tcp["tcpKeepalive"].flatMap { KeepAlive.decode($0, problems) }
    }
    if let http = fields.object("http", httpSchema) {
      pool.http1MaxPendingRequests = http.limit("http1MaxPendingRequests")
      pool.http2MaxRequests = http.limit("http2MaxRequests")
      pool.maxRequestsPerConnection = http.limit("maxRequestsPerConnection")
      pool.maxRetries = http.limit("maxRetries")
      pool.maxConcurrentStreams = http.limit("maxConcurrentStreams")
      pool.httpIdleTimeout = http.duration("idleTimeout", atLeast: .zero)
      pool.usesClientProtocol = http.bool("useClientProtocol")
      pool.http2Upgrade =
        http.optional("h2UpgradePolicy") { (node) throws(ConfigError) in
          try node.enumeration(HTTP2Upgrade.self)
        } ?? .default
      if pool.usesClientProtocol, pool.http2Upgrade == .upgrade {
        problems.error(
          .conflict, at: http.path["useClientProtocol"],
          "may not be true with h2UpgradePolicy UPGRADE, which decides the protocol")
      }
    }
    return pool
  }
}

extension ConnectionPool.KeepAlive {
  static func decode(_ node: Node, _ problems: Problems) -> ConnectionPool.KeepAlive? {
    guard let fields = Fields(node, Schema(fields: ["probes", "time", "interval"]), problems)
    else { return nil }
    var keepAlive = ConnectionPool.KeepAlive()
    keepAlive.probes = fields.number("probes")
    // The kernel counts in whole seconds.
    keepAlive.time = fields.duration("time", atLeast: .seconds(1))
    keepAlive.interval = fields.duration("interval", atLeast: .seconds(1))
    return keepAlive
  }
}

extension OutlierDetection {
  private static let schema = Schema(fields: [
    "consecutiveErrors", "consecutive5xxErrors", "consecutiveGatewayErrors",
    "splitExternalLocalOriginErrors", "consecutiveLocalOriginFailures", "interval",
    "baseEjectionTime", "maxEjectionPercent", "minHealthPercent",
  ])

  fileprivate static func decode(_ node: Node, _ problems: Problems) -> OutlierDetection? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let count = { (node: Node) throws(ConfigError) in try node.integer(UInt32.self) }
    var detection = OutlierDetection()
    detection.consecutive5xxErrors = fields.optional("consecutive5xxErrors", count)
    detection.consecutiveGatewayErrors = fields.optional("consecutiveGatewayErrors", count)
    if fields.has("consecutiveErrors") {
      problems.warning(
        .unsupported, at: fields.path["consecutiveErrors"],
        "has no effect any more, as in Istio; use consecutive5xxErrors or consecutiveGatewayErrors")
    }
    detection.splitExternalLocalOriginErrors = fields.bool("splitExternalLocalOriginErrors")
    detection.consecutiveLocalOriginFailures = fields.optional(
      "consecutiveLocalOriginFailures", count)
    if !detection.splitExternalLocalOriginErrors,
      detection.consecutiveLocalOriginFailures ?? 0 > 0
    {
      problems.error(
        .conflict, at: fields.path["consecutiveLocalOriginFailures"],
        "needs splitExternalLocalOriginErrors to be true")
    }
    detection.interval = fields.duration("interval", atLeast: .milliseconds(1))
    detection.baseEjectionTime = fields.duration("baseEjectionTime", atLeast: .milliseconds(1))
    let percent = { (node: Node) throws(ConfigError) in
      try node.integer(UInt32.self, in: 0...100)
    }
    detection.maxEjectionPercent = fields.optional("maxEjectionPercent", percent) ?? 0
    detection.minHealthPercent = fields.optional("minHealthPercent", percent) ?? 0
    return detection
  }
}

extension Fields {
  /// A limit, where Istio counts up to the largest signed number.
  fileprivate func limit(_ name: String) -> UInt32 {
    optional(name) { (node) throws(ConfigError) in
      try node.integer(UInt32.self, in: 0...UInt32(Int32.max))
    } ?? 0
  }

  func duration(_ name: String, atLeast least: Duration) -> Duration? {
    optional(name) { (node) throws(ConfigError) in
      let duration = try node.duration()
      guard duration >= least else {
        throw node.expected(least == .zero ? "no negative duration" : "at least \(least.goString)")
      }
      return duration
    }
  }

  /// A number from 0 to 100; also as protobuf's wrapper message writes it, `{value: 20}`.
  func percent(_ name: String) -> Double? {
    optional(name) { (node) throws(ConfigError) in try (node["value"] ?? node).percent() }
  }
}
