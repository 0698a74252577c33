// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension ProxyConfig {
  private static let schema = Schema(
    fields: ["proxyMetadata", "concurrency", "gatewayTopology"],
    unsupported: [
      "availabilityZone", "binaryPath", "caCertificatesPem", "configPath", "controlPlaneAuthPolicy",
      "customConfigFile", "discoveryAddress", "drainDuration", "envoyAccessLogService",
      "envoyMetricsService", "envoyMetricsServiceAddress", "extraStatTags", "fileFlushInterval",
      "fileFlushMinSizeKb", "holdApplicationUntilProxyStarts", "image",
      "interceptionMode", "meshId", "parentShutdownDuration", "privateKeyProvider",
      "proxyAdminPort", "proxyBootstrapTemplatePath", "proxyHeaders", "proxyStatsMatcher",
      "readinessProbe", "runtimeValues", "sds", "serviceCluster", "statNameLength",
      "statsCompression", "statsdUdpAddress", "statusPort", "terminationDrainDuration", "tracing",
      "tracingServiceName", "zipkinAddress",
    ])

  /// Reads ProxyConfig of MeshConfig (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/).
  static func decode(_ node: Node, _ problems: Problems) -> ProxyConfig? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var config = ProxyConfig()
    config.proxyMetadata =
      fields.optional("proxyMetadata") { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
    config.concurrency = concurrency(fields)
    config.gatewayTopology = fields["gatewayTopology"].flatMap {
      GatewayTopology.decode($0, problems)
    }
    return config
  }

  fileprivate static func concurrency(_ fields: Fields) -> Int32? {
    fields.optional("concurrency") { (node) throws(ConfigError) in
      try node.integer(Int32.self, in: 0...Int32.max)
    }
  }
}

extension GatewayTopology {
  private static let schema = Schema(
    fields: ["numTrustedProxies", "forwardClientCertDetails"], unsupported: ["proxyProtocol"])

  fileprivate static func decode(_ node: Node, _ problems: Problems) -> GatewayTopology? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var topology = GatewayTopology()
    topology.trustedProxies =
      fields.optional("numTrustedProxies") { (node) throws(ConfigError) in
        try node.integer(UInt32.self)
      } ?? 0
    topology.clientCertificateDetails =
      fields.optional("forwardClientCertDetails") { (node) throws(ConfigError) in
        try node.enumeration(ClientCertificateDetails.self)
      } ?? .undefined
    return topology
  }
}

extension ProxyConfigObject {
  private static let schema = Schema(
    fields: ["selector", "concurrency", "environmentVariables"],
    // Which container image is injected is not the control plane's matter.
    ignored: ["image"])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/proxy-config/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> ProxyConfigObject? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    var config = ProxyConfig()
    config.proxyMetadata =
      fields.optional("environmentVariables") { (node) throws(ConfigError) in
        try node.stringMap()
      } ?? [:]
    config.concurrency = ProxyConfig.concurrency(fields)
    let selector = fields["selector"].flatMap {
      LabelSelector.decode($0, field: "matchLabels", problems)
    }
    return ProxyConfigObject(meta: meta, selector: selector, config: config)
  }
}
