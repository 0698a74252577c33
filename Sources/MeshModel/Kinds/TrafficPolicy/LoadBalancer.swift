// SPDX-License-Identifier: Apache-2.0

/// How requests are spread over the endpoints: Istio's LoadBalancerSettings.
package struct LoadBalancer: Hashable, Sendable {
  package enum Simple: String, Hashable, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED"
    /// The older name of `leastRequest`.
    case leastConnections = "LEAST_CONN"
    case random = "RANDOM"
    /// To where the connection was going anyway.
    case passthrough = "PASSTHROUGH"
    case roundRobin = "ROUND_ROBIN"
    case leastRequest = "LEAST_REQUEST"
  }

  package enum Algorithm: Hashable, Sendable {
    case simple(Simple)
    case consistentHash(ConsistentHash)
  }

  /// How the share of a new endpoint grows.
  package struct WarmUp: Hashable, Sendable {
    package var duration: Duration
    /// The share to begin with, in percent.
    package var minimumPercent: Double?
    package var aggression: Double?
    package init(duration: Duration) { self.duration = duration }
  }

  package var algorithm: Algorithm
  package var locality: LocalityLoadBalancing?
  package var warmUp: WarmUp?

  package init(
    _ algorithm: Algorithm = .simple(.unspecified), locality: LocalityLoadBalancing? = nil,
    warmUp: WarmUp? = nil
  ) {
    self.algorithm = algorithm
    self.locality = locality
    self.warmUp = warmUp
  }

  package var isConsistentHash: Bool {
    if case .consistentHash = algorithm { true } else { false }
  }
}

/// Requests with the same key go to the same endpoint.
package struct ConsistentHash: Hashable, Sendable {
  package struct Cookie: Hashable, Sendable {
    package struct Attribute: Hashable, Sendable {
      package var name: String
      package var value: String
      package init(name: String, value: String) {
        self.name = name
        self.value = value
      }
    }

    package var name: String
    package var path = ""
    /// Nil where the proxy makes no cookie; 0 for one that ends with the session.
    package var ttl: Duration?
    package var attributes: [Attribute] = []
    package init(name: String) { self.name = name }
  }

  package enum Key: Hashable, Sendable {
    case header(String)
    case cookie(Cookie)
    case sourceIP
    case queryParameter(String)
  }

  package enum Table: Hashable, Sendable {
    case ring(minimumSize: UInt64)
    /// 0 for Envoy's own size.
    case maglev(size: UInt64)
  }

  /// Istio's smallest ring.
  package static let defaultRing: UInt64 = 1024

  package var key: Key
  package var table: Table

  package init(_ key: Key, table: Table = .ring(minimumSize: Self.defaultRing)) {
    self.key = key
    self.table = table
  }
}

/// Which localities (`region/zone/subzone`) a proxy prefers: Istio's LocalityLoadBalancerSetting.
package struct LocalityLoadBalancing: Hashable, Sendable {
  package struct Distribution: Hashable, Sendable {
    /// A locality, where a part may be `*`.
    package var from: String
    /// Weights in percent, by locality.
    package var to: [String: UInt32]
    package init(from: String, to: [String: UInt32]) {
      self.from = from
      self.to = to
    }
  }

  package struct Failover: Hashable, Sendable {
    /// Regions.
    package var from: String
    package var to: String
    package init(from: String, to: String) {
      self.from = from
      self.to = to
    }
  }

  package var isEnabled = true
  package var distribute: [Distribution] = []
  package var failover: [Failover] = []
  /// Label names, or `name=value`, the most important first.
  package var failoverPriority: [String] = []

  package init() {}
}
