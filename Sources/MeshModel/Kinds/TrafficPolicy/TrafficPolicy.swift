// SPDX-License-Identifier: Apache-2.0

/// How clients talk to a destination: Istio's TrafficPolicy.
///
/// Nil members are unset, which lets the policy above, and at last Istio's defaults, decide.
package struct TrafficPolicy: Hashable, Sendable {
  package var loadBalancer: LoadBalancer?
  package var connectionPool: ConnectionPool?
  package var outlierDetection: OutlierDetection?
  package var tls: ClientTLS?
  package var retryBudget: RetryBudget?
  /// By port of the service.
  package var portLevelSettings: [UInt16: TrafficPolicy] = [:]

  package init() {}

  /// The policy for one port, where `override` is the more specific of the two.
  ///
  /// A member of the more specific policy replaces the whole member of the other. What is written for
  /// the port inherits nothing, as Istio documents: a member that it leaves out is back at its default.
  package static func merged(
    _ base: TrafficPolicy?, _ override: TrafficPolicy?, port: UInt16
  ) -> TrafficPolicy {
    var policy = base?.forPort(port) ?? TrafficPolicy()
    guard let override else { return policy }
    if override.portLevelSettings[port] != nil { return override.forPort(port, over: policy) }
    policy.loadBalancer = override.loadBalancer ?? policy.loadBalancer
    policy.connectionPool = override.connectionPool ?? policy.connectionPool
    policy.outlierDetection = override.outlierDetection ?? policy.outlierDetection
    policy.tls = override.tls ?? policy.tls
    policy.retryBudget = override.retryBudget ?? policy.retryBudget
    return policy
  }

  private func forPort(_ port: UInt16, over base: TrafficPolicy? = nil) -> TrafficPolicy {
    var policy = self
    policy.portLevelSettings = [:]
    guard let settings = portLevelSettings[port] else { return policy }
    policy.loadBalancer = settings.loadBalancer
    policy.connectionPool = settings.connectionPool
    policy.outlierDetection = settings.outlierDetection
    policy.tls = settings.tls
    policy.retryBudget = retryBudget ?? base?.retryBudget
    return policy
  }
}

/// How many retries may be under way, as a share of the active requests.
package struct RetryBudget: Hashable, Sendable {
  package var percent: Double
  package var minimumConcurrency: UInt32

  package init(percent: Double = 20, minimumConcurrency: UInt32 = 3) {
    self.percent = percent
    self.minimumConcurrency = minimumConcurrency
  }
}

/// Limits on connections and requests to a destination; 0 and nil stand for unset.
package struct ConnectionPool: Hashable, Sendable {
  package enum HTTP2Upgrade: String, Hashable, Sendable, CaseIterable {
    case `default` = "DEFAULT"
    case never = "DO_NOT_UPGRADE"
    case upgrade = "UPGRADE"
  }

  package struct KeepAlive: Hashable, Sendable {
    package var probes: UInt32 = 0
    package var time: Duration?
    package var interval: Duration?
    package init() {}
  }

  package var maxConnections: UInt32 = 0
  package var connectTimeout: Duration?
  package var tcpKeepAlive: KeepAlive?
  package var maxConnectionDuration: Duration?
  package var tcpIdleTimeout: Duration?
  package var http1MaxPendingRequests: UInt32 = 0
  package var http2MaxRequests: UInt32 = 0
  package var maxRequestsPerConnection: UInt32 = 0
  package var maxRetries: UInt32 = 0
  package var httpIdleTimeout: Duration?
  package var http2Upgrade = HTTP2Upgrade.default
  package var usesClientProtocol = false
  package var maxConcurrentStreams: UInt32 = 0

  package init() {}
}

/// When an endpoint is taken out of the load balancing for its behaviour.
package struct OutlierDetection: Hashable, Sendable {
  package var consecutive5xxErrors: UInt32?
  package var consecutiveGatewayErrors: UInt32?
  package var splitExternalLocalOriginErrors = false
  package var consecutiveLocalOriginFailures: UInt32?
  package var interval: Duration?
  package var baseEjectionTime: Duration?
  /// In percent; 0 for unset.
  package var maxEjectionPercent: UInt32 = 0
  /// Below this share of healthy endpoints, in percent, all of them are used.
  package var minHealthPercent: UInt32 = 0

  package init() {}
}

/// TLS towards a destination: Istio's ClientTLSSettings.
package struct ClientTLS: Hashable, Sendable {
  package enum Mode: String, Hashable, Sendable, CaseIterable {
    case disable = "DISABLE"
    case simple = "SIMPLE"
    case mutual = "MUTUAL"
    case istioMutual = "ISTIO_MUTUAL"
  }

  package var mode: Mode
  /// Paths of PEM files on the proxy; empty for unset.
  package var clientCertificate = ""
  package var privateKey = ""
  /// A path, `system` for the roots of the proxy's system, or empty, which means the same.
  package var caCertificates = ""
  package var caCRL = ""
  package var credentialName = ""
  package var subjectAltNames: [String] = []
  package var sni = ""
  package var insecureSkipVerify = false

  package init(mode: Mode) { self.mode = mode }

  /// Node metadata with the paths of a proxy's workload certificates: chain, key, roots.
  ///
  /// ISTIO_MUTUAL uses them; the names are Istio's.
  package static let workloadCertificateMetadata = [
    "TLS_CLIENT_CERT_CHAIN", "TLS_CLIENT_KEY", "TLS_CLIENT_ROOT_CERT",
  ]
}
