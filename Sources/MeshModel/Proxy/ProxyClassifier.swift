// SPDX-License-Identifier: Apache-2.0

/// What of a mesh decides the class of a proxy.
///
/// Comparable by value, so that an edit which leaves it equal (most edits) needs no new look at any
/// connected proxy.
package struct ProxyClassifier: Hashable, Sendable {
  /// Label keys that some object selects workloads on.
  private var labelKeys: Set<String>
  /// Node metadata keys that translation or some EnvoyFilter looks at.
  private var metadataKeys: Set<String>
  /// Whether some EnvoyFilter matches on the proxy's version.
  private var matchesVersions: Bool
  /// Whether some DestinationRule balances by locality.
  private var looksAtLocalities = false
  private let instances: ServiceInstances

  /// Node metadata that translation looks at whatever the objects are.
  private static let alwaysMatchedMetadata = Set(
    ["INTERCEPTION_MODE", Proxy.wasmSwitch, "UNPRIVILEGED_POD"]
      + Gateway.TLSSettings.workloadCertificateMetadata)

  /// Labels that translation looks at whatever the objects are: which Gateway of the Gateway API
  /// a workload belongs to decides the policies with target references.
  private static let alwaysSelectedLabels: Set<String> = [
    "gateway.networking.k8s.io/gateway-name"
  ]

  init(
    selectors: [LabelSelector], envoyFilters: [EnvoyFilter], destinationRules: [DestinationRule],
    meshConfig: MeshConfig, instances: ServiceInstances
  ) {
    self.instances = instances
    labelKeys = Self.alwaysSelectedLabels.union(selectors.flatMap(\.matchLabels.keys))
      .union(instances.labelKeys)
    let matches = envoyFilters.flatMap(\.configPatches).map(\.proxy)
    metadataKeys = Self.alwaysMatchedMetadata.union(matches.flatMap(\.metadata.keys))
    matchesVersions = matches.contains { !$0.proxyVersion.isEmpty }
    for rule in destinationRules { add(rule) }
    if let locality = meshConfig.localityLoadBalancing { add(locality) }
  }

  /// Cuts a proxy down to what the mesh's objects look at.
  package func proxyClass(of proxy: Proxy) -> ProxyClass {
    ProxyClass(
      role: proxy.role, namespace: proxy.namespace, dnsDomain: proxy.dnsDomain,
      labels: proxy.labels.filter { labelKeys.contains($0.key) },
      metadata: proxy.metadata.filter { metadataKeys.contains($0.key) },
      locality: looksAtLocalities ? proxy.locality : "",
      gatewayTopology: proxy.role == .router ? proxy.gatewayTopology : nil,
      istioVersion: matchesVersions ? proxy.istioVersion : nil,
      instances: instances.instances(of: proxy))
  }

  private mutating func add(_ rule: DestinationRule) {
    labelKeys.formUnion(rule.workloadSelector?.matchLabels.keys.map(\.self) ?? [])
    for policy in rule.policies {
      if policy.tls?.mode == .istioMutual {
        metadataKeys.formUnion(ClientTLS.workloadCertificateMetadata)
      }
      // Without outlier detection nobody ever moves to another locality.
      if policy.outlierDetection != nil { looksAtLocalities = true }
      if let locality = policy.loadBalancer?.locality { add(locality) }
    }
  }

  private mutating func add(_ locality: LocalityLoadBalancing) {
    if !locality.distribute.isEmpty { looksAtLocalities = true }
    for label in locality.failoverPriority {
      labelKeys.insert(String(label.prefix { $0 != "=" }))
    }
  }
}

extension DestinationRule {
  /// Every policy that is written in the rule.
  fileprivate var policies: [TrafficPolicy] {
    let policies = [trafficPolicy].compactMap(\.self) + subsets.compactMap(\.trafficPolicy)
    return policies + policies.flatMap(\.portLevelSettings.values)
  }
}
