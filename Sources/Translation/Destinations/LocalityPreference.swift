// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Which of the localities that hold a service's endpoints a proxy should use, and how much: Istio's
/// locality load balancing (https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/).
struct LocalityPreference {
  private let proxy: ProxyClass
  private let settings: LocalityLoadBalancing
  /// Without outlier detection Envoy never leaves the first priority.
  private let failsOver: Bool

  init(_ proxy: ProxyClass, _ policy: TrafficPolicy) {
    self.proxy = proxy
    settings = policy.loadBalancer?.locality ?? LocalityLoadBalancing()
    failsOver = policy.outlierDetection != nil
  }

  /// Endpoints that are preferred alike.
  struct Group: Hashable {
    var locality: String
    var priority: Int
  }

  /// Where an endpoint belongs, before priorities are made to follow each other.
  func group(locality: String, labels: [String: String]) -> Group {
    guard settings.isEnabled, settings.distribute.isEmpty, failsOver else {
      return Group(locality: locality, priority: 0)
    }
    let byLocality = Self.distance(from: proxy.locality, to: locality, settings.failover)
    guard !settings.failoverPriority.isEmpty else {
      return Group(locality: locality, priority: byLocality)
    }
    var matched = 0
    for label in settings.failoverPriority {
      guard matches(label, labels) else { break }
      matched += 1
    }
    let byLabels = settings.failoverPriority.count - matched
    // With regions besides, these decide among what the labels leave equal.
    return Group(
      locality: locality,
      priority: settings.failover.isEmpty ? byLabels : byLabels * 5 + byLocality)
  }

  private func matches(_ label: String, _ labels: [String: String]) -> Bool {
    let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    let wanted = parts.count > 1 ? String(parts[1]) : proxy.labels[name]
    return wanted == labels[name]
  }

  /// 0 for the same subzone, 1 for the zone, 2 for the region, 3 for elsewhere, 4 for a region that
  /// another one is named to stand in for.
  private static func distance(
    from proxy: String, to endpoint: String, _ failover: [LocalityLoadBalancing.Failover]
  ) -> Int {
    let (own, other) = (parts(of: proxy), parts(of: endpoint))
    guard own[0] == other[0] else {
      let target = failover.first { $0.from == own[0] }?.to
      return target == nil || target == String(other[0]) ? 3 : 4
    }
    guard own[1] == other[1] else { return 2 }
    return own[2] == other[2] ? 0 : 1
  }

  private static func parts(of locality: String) -> [Substring] {
    let parts = locality.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    return parts + [Substring](repeating: "", count: 3 - parts.count)
  }

  /// Makes priorities follow each other, as Envoy asks, and spreads the weights of `distribute`;
  /// localities that it does not name lose their endpoints.
  func apply(to endpoints: inout [Envoy.LocalityEndpoints], localities: [String]) {
    let priorities = Set(endpoints.map(\.priority)).sorted()
    for index in endpoints.indices {
      endpoints[index].priority = UInt32(
        priorities.firstIndex(of: endpoints[index].priority) ?? 0)
    }
    guard settings.isEnabled,
      let rule = settings.distribute.first(where: { Self.covers($0.from, proxy.locality) })
    else { return }
    var unnamed = Set(endpoints.indices)
    // The narrower of two that cover a locality decides.
    let targets = rule.to.sorted { left, right in
      let (leftDepth, rightDepth) = (Self.depth(left.key), Self.depth(right.key))
      return leftDepth == rightDepth ? left.key < right.key : leftDepth > rightDepth
    }
    for (target, weight) in targets {
      let covered = endpoints.indices.filter {
        unnamed.contains($0) && Self.covers(target, localities[$0])
      }
      let total = covered.reduce(UInt64(0)) {
        $0 + UInt64(endpoints[$1].loadBalancingWeight.value)
      }
      for index in covered {
        unnamed.remove(index)
        let share = UInt64(endpoints[index].loadBalancingWeight.value) * UInt64(weight)
        endpoints[index].loadBalancingWeight = .init(UInt32((share + total - 1) / total))
      }
    }
    for index in unnamed { endpoints[index].lbEndpoints = [] }
  }

  private static func covers(_ pattern: String, _ locality: String) -> Bool {
    let (wanted, found) = (parts(of: pattern), parts(of: locality))
    if wanted[0] == "*" { return true }
    guard wanted[0] == found[0] else { return false }
    if wanted[1].isEmpty || wanted[1] == "*" { return true }
    guard wanted[1] == found[1] else { return false }
    return wanted[2].isEmpty || wanted[2] == "*" || wanted[2] == found[2]
  }

  private static func depth(_ pattern: String) -> Int {
    pattern.split(separator: "/").count { $0 != "*" }
  }
}
