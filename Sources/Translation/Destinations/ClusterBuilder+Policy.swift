// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// A traffic policy in a cluster: limits, ejection and load balancing, with Istio's defaults.
extension ClusterBuilder {
  /// Takes over limits; an upgrade has a meaning only where the port speaks HTTP/1.1.
  mutating func apply(_ pool: ConnectionPool, isPlainHTTP: Bool) {
    func limit(_ value: UInt32) -> Google_Protobuf_UInt32Value? {
      value == 0 ? nil : Google_Protobuf_UInt32Value(value)
    }
    if let value = limit(pool.maxConnections) { limits.maxConnections = value }
    if let value = limit(pool.http1MaxPendingRequests) { limits.maxPendingRequests = value }
    if let value = limit(pool.http2MaxRequests) { limits.maxRequests = value }
    if let value = limit(pool.maxRetries) { limits.maxRetries = value }
    if let timeout = pool.connectTimeout {
      message.connectTimeout = Google_Protobuf_Duration(timeout)
    }
    if let keepAlive = pool.tcpKeepAlive {
      message.upstreamConnectionOptions.tcpKeepalive = .with {
        if let probes = limit(keepAlive.probes) { $0.keepaliveProbes = probes }
        if let time = keepAlive.time { $0.keepaliveTime = .init(time.wholeSeconds) }
        if let interval = keepAlive.interval { $0.keepaliveInterval = .init(interval.wholeSeconds) }
      }
    }
    if pool.usesClientProtocol {
      useClientProtocol()
    } else if pool.http2Upgrade == .upgrade, isPlainHTTP {
      useHTTP2()
    }
    let idle = pool.httpIdleTimeout ?? pool.tcpIdleTimeout
    if idle != nil || pool.maxConnectionDuration != nil || pool.maxRequestsPerConnection > 0 {
      setHTTP {
        if let idle { $0.commonHTTPProtocolOptions.idleTimeout = Google_Protobuf_Duration(idle) }
        if let duration = pool.maxConnectionDuration {
          $0.commonHTTPProtocolOptions.maxConnectionDuration = Google_Protobuf_Duration(duration)
        }
        if let requests = limit(pool.maxRequestsPerConnection) {
          $0.commonHTTPProtocolOptions.maxRequestsPerConnection = requests
        }
      }
    }
    if let streams = limit(pool.maxConcurrentStreams), isHTTP2 {
      setHTTP { $0.explicitHTTPConfig.http2ProtocolOptions.maxConcurrentStreams = streams }
    }
  }

  mutating func apply(_ budget: RetryBudget) {
    limits.retryBudget.budgetPercent.value = budget.percent
    limits.retryBudget.minRetryConcurrency = .init(budget.minimumConcurrency)
  }

  mutating func apply(_ detection: OutlierDetection) {
    message.outlierDetection = .with {
      // Only counts of errors eject in Istio, never a rate of success.
      $0.enforcingSuccessRate = 0
      if let count = detection.consecutive5xxErrors {
        $0.consecutive5Xx = .init(count)
        $0.enforcingConsecutive5Xx = count > 0 ? 100 : 0
      }
      if let count = detection.consecutiveGatewayErrors {
        $0.consecutiveGatewayFailure = .init(count)
        $0.enforcingConsecutiveGatewayFailure = count > 0 ? 100 : 0
      }
      if let interval = detection.interval { $0.interval = .init(interval) }
      if let time = detection.baseEjectionTime { $0.baseEjectionTime = .init(time) }
      if detection.maxEjectionPercent > 0 {
        $0.maxEjectionPercent = .init(detection.maxEjectionPercent)
      }
      if detection.splitExternalLocalOriginErrors {
        $0.splitExternalLocalOriginErrors = true
        if let count = detection.consecutiveLocalOriginFailures, count > 0 {
          $0.consecutiveLocalOriginFailure = .init(count)
          $0.enforcingConsecutiveLocalOriginFailure = 100
        }
        $0.enforcingLocalOriginSuccessRate = 0
      }
    }
    // Envoy's own 50 % would send requests to ejected endpoints where there are only a few.
    message.commonLbConfig.healthyPanicThreshold.value = Double(detection.minHealthPercent)
  }

  /// Takes over how endpoints are chosen; Redis shards by key, whatever the policy.
  mutating func apply(_ balancer: LoadBalancer, portProtocol: ServiceProtocol) {
    let hashes = portProtocol == .redis || balancer.isConsistentHash
    // Envoy's hashing balancers find no endpoint at all by the weights of localities without names,
    // so they get these weights only where a rule gives them.
    if balancer.locality?.isEnabled ?? true,
      !hashes || balancer.locality?.distribute.isEmpty == false
    {
      message.commonLbConfig.localityWeightedLbConfig = .init()
    }
    guard message.lbPolicy != .clusterProvided else { return }
    if portProtocol == .redis {
      message.lbPolicy = .maglev
      return
    }
    switch balancer.algorithm {
    case .simple(.passthrough): useOriginalDestination()
    case .simple(.random): message.lbPolicy = .random
    case .simple(.roundRobin):
      message.lbPolicy = .roundRobin
      if let warmUp = balancer.warmUp {
        message.roundRobinLbConfig.slowStartConfig = Self.slowStart(warmUp)
      }
    case .simple(.leastConnections), .simple(.leastRequest), .simple(.unspecified):
      message.lbPolicy = .leastRequest
      if let warmUp = balancer.warmUp {
        message.leastRequestLbConfig.slowStartConfig = Self.slowStart(warmUp)
      }
    case .consistentHash(let hash):
      switch hash.table {
      case .ring(let minimumSize):
        message.lbPolicy = .ringHash
        message.ringHashLbConfig.minimumRingSize = .init(minimumSize)
      case .maglev(let size):
        message.lbPolicy = .maglev
        if size > 0 { message.maglevLbConfig.tableSize = .init(size) }
      }
    }
  }

  private static func slowStart(
    _ warmUp: LoadBalancer.WarmUp
  ) -> Envoy.Cluster.SlowStartConfig {
    Envoy.Cluster.SlowStartConfig.with {
      $0.slowStartWindow = Google_Protobuf_Duration(warmUp.duration)
      if let aggression = warmUp.aggression {
        $0.aggression.defaultValue = aggression
        // Envoy asks for a name; nobody sets it.
        $0.aggression.runtimeKey = "skiff.warmup.aggression"
      }
      if let percent = warmUp.minimumPercent { $0.minWeightPercent.value = percent }
    }
  }
}

extension Duration {
  /// Rounded up, as the kernel counts in seconds and takes 0 for its default.
  fileprivate var wholeSeconds: UInt32 {
    let (seconds, rest) = components
    return UInt32(clamping: rest > 0 ? seconds + 1 : seconds)
  }
}
