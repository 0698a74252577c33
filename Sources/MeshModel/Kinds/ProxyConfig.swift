// SPDX-License-Identifier: Apache-2.0

/// Istio's ProxyConfig, the fields that are acted on: how one proxy is started.
package struct ProxyConfig: Hashable, Sendable {
  /// Environment of the proxy; a name `ISTIO_META_X` becomes node metadata `X`.
  package var proxyMetadata: [String: String] = [:]
  /// Worker threads; 0 is one for each core.
  package var concurrency: Int32?
  /// What stands in front of a gateway.
  package var gatewayTopology: GatewayTopology?

  package init() {}

  /// The annotation of a pod that holds a ProxyConfig as YAML.
  package static let annotation = "proxy.istio.io/config"

  /// Takes over what another one sets, metadata key by key.
  package mutating func override(with other: ProxyConfig) {
    proxyMetadata.merge(other.proxyMetadata) { $1 }
    concurrency = other.concurrency ?? concurrency
    gatewayTopology = other.gatewayTopology ?? gatewayTopology
  }
}

/// A `networking.istio.io/v1beta1` ProxyConfig object: settings for the proxies of a namespace, of
/// some workloads, or of the mesh.
package struct ProxyConfigObject: ConfigObject {
  package static let kind = ObjectKind.proxyConfig

  package var meta: ObjectMeta
  /// Nil selects every workload of the namespace, or of the mesh in the root namespace.
  package var selector: LabelSelector?
  package var config: ProxyConfig

  package init(meta: ObjectMeta, selector: LabelSelector?, config: ProxyConfig) {
    self.meta = meta
    self.selector = selector
    self.config = config
  }
}

extension MeshSnapshot {
  /// The configuration that a proxy is started with.
  ///
  /// From low to high, as in Istio: the mesh's default, the object of the root namespace, that of the
  /// proxy's namespace, the annotation of its pod, the object that selects the workload; of several
  /// objects on one level the oldest counts alone. `annotated` is what the pod's annotation says.
  package func proxyConfig(
    namespace: String, labels: [String: String], annotated: ProxyConfig? = nil
  ) -> ProxyConfig {
    func oldest(in namespace: String, where condition: (ProxyConfigObject) -> Bool) -> ProxyConfig?
    {
      proxyConfigs.first { $0.meta.namespace == namespace && condition($0) }?.config
    }
    let levels = [
      oldest(in: meshConfig.rootNamespace) { $0.selector == nil },
      oldest(in: namespace) { $0.selector == nil },
      annotated,
      oldest(in: namespace) { $0.selector?.matches(labels) ?? false },
    ]
    return levels.reduce(into: meshConfig.defaultConfig) { config, level in
      if let level { config.override(with: level) }
    }
  }
}
