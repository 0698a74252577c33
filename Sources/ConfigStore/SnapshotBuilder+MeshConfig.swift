// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension SnapshotBuilder {
  /// The mesh configuration of all IstioOperators, merged as Istio merges: fields override, the proxy
  /// metadata merges key by key and extension providers by name.
  ///
  /// - Parameters:
  ///   - operators: oldest first; later ones override.
  ///   - problems: gets a warning for each that is not the only one.
  /// - Returns: Istio's defaults where nothing is written.
  static func mergedMeshConfig(
    _ operators: [IstioOperator], _ problems: inout [ConfigError]
  ) -> MeshConfig {
    var merged = MeshConfig()
    let carriers = operators.filter { $0.spec["meshConfig"] != nil }
    for carrier in carriers {
      merged.override(with: carrier.meshConfig, written: carrier.spec["meshConfig"] ?? .null)
    }
    for carrier in carriers.dropFirst() {
      problems.append(
        ConfigError(
          .conflict, severity: .warning, object: carrier.ref, at: FieldPath("spec", "meshConfig"),
          reason: "overrides the mesh configuration of \(carriers[0].ref), field by field"))
    }
    return merged
  }
}

extension MeshConfig {
  fileprivate mutating func override(with other: MeshConfig, written: JSONValue) {
    func isSet(_ value: JSONValue, _ names: String...) -> Bool {
      names.contains { name in value[name].map { $0 != .null } ?? false }
    }
    if isSet(written, "rootNamespace", "root_namespace") { rootNamespace = other.rootNamespace }
    if isSet(written, "trustDomain", "trust_domain") { trustDomain = other.trustDomain }
    if isSet(written, "accessLogFile", "access_log_file") { accessLogFile = other.accessLogFile }
    if isSet(written, "outboundTrafficPolicy", "outbound_traffic_policy") {
      allowsAnyOutbound = other.allowsAnyOutbound
    }
    if isSet(written, "connectTimeout", "connect_timeout") { connectTimeout = other.connectTimeout }
    defaultConfig.proxyMetadata.merge(other.defaultConfig.proxyMetadata) { $1 }
    defaultConfig.concurrency = other.defaultConfig.concurrency ?? defaultConfig.concurrency
    for provider in other.extensionProviders {
      if let known = extensionProviders.firstIndex(where: { $0.name == provider.name }) {
        extensionProviders[known] = provider
      } else {
        extensionProviders.append(provider)
      }
    }
  }
}
