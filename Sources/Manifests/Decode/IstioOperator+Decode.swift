// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension IstioOperator {
  /// Only the mesh configuration is acted on; the rest describes an installation and is kept.
  private static let schema = Schema(
    fields: ["meshConfig"],
    ignored: [
      "profile", "installPackagePath", "hub", "tag", "namespace", "revision", "resourceSuffix",
      "compatibilityVersion", "components", "addonComponents", "values", "unvalidatedValues",
    ])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/istio.operator.v1alpha1/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> IstioOperator? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let meshConfig = fields["meshConfig"].flatMap { MeshConfig.decode($0, problems) }
    return IstioOperator(meta: meta, meshConfig: meshConfig ?? MeshConfig(), spec: spec.json)
  }
}

extension MeshConfig {
  private static let schema = Schema(
    fields: [
      "rootNamespace", "trustDomain", "extensionProviders", "defaultConfig", "accessLogFile",
      "outboundTrafficPolicy", "connectTimeout",
    ],
    unsupported: [
      "accessLogEncoding", "accessLogFormat", "ca", "caCertificates", "certificates",
      "configSources", "defaultDestinationRuleExportTo", "defaultHttpRetryPolicy",
      "defaultProviders", "defaultServiceExportTo", "defaultVirtualServiceExportTo",
      "disableEnvoyListenerLog", "discoverySelectors", "dnsRefreshRate", "enableAutoMtls",
      "enableEnvoyAccessLogService", "enablePrometheusMerge", "enableTracing", "h2UpgradePolicy",
      "hboneIdleTimeout", "inboundClusterStatName", "inboundTrafficPolicy", "ingressClass",
      "ingressControllerMode", "ingressSelector", "ingressService", "localityLbSetting",
      "meshMTLS", "outboundClusterStatName", "pathNormalization", "protocolDetectionTimeout",
      "proxyHttpPort", "proxyInboundListenPort", "proxyListenPort", "serviceScopeConfigs",
      "serviceSettings", "tcpKeepalive", "tlsDefaults", "trustDomainAliases",
      "verifyCertificateAtClient", "mixerAddress", "disablePolicyChecks", "thriftConfig",
    ])

  private enum OutboundMode: String, CaseIterable {
    case allowAny = "ALLOW_ANY"
    case registryOnly = "REGISTRY_ONLY"
  }

  /// Reads MeshConfig (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/).
  static func decode(_ node: Node, _ problems: Problems) -> MeshConfig? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var config = MeshConfig()
    let text = { (node: Node) throws(ConfigError) in try node.text() }
    config.rootNamespace = fields.optional("rootNamespace", text) ?? config.rootNamespace
    config.trustDomain = fields.optional("trustDomain", text) ?? config.trustDomain
    var names: Set<String> = []
    config.extensionProviders = fields.each("extensionProviders") { node in
      guard let provider = ExtensionProvider.decode(node, problems) else { return nil }
      if !names.insert(provider.name).inserted {
        problems.error(
          .conflict, at: node.path["name"], "\(provider.name) is already the name of a provider")
      }
      return provider
    }
    config.defaultConfig =
      fields["defaultConfig"].flatMap { ProxyConfig.decode($0, problems) } ?? ProxyConfig()
    config.accessLogFile = fields.string("accessLogFile")
    let mode = fields.object("outboundTrafficPolicy", Schema(fields: ["mode"]))?.optional("mode") {
      (node) throws(ConfigError) in try node.enumeration(OutboundMode.self)
    }
    config.allowsAnyOutbound = mode != .registryOnly
    let timeout = fields.optional("connectTimeout") { (node) throws(ConfigError) in
      let timeout = try node.duration()
      guard timeout >= .milliseconds(1) else { throw node.expected("at least 1ms") }
      return timeout
    }
    config.connectTimeout = timeout ?? config.connectTimeout
    return config
  }
}

extension MeshConfig.ExtensionProvider {
  private static let otherKinds = [
    "envoyExtAuthzHttp", "envoyExtAuthzGrpc", "zipkin", "lightstep", "datadog", "stackdriver",
    "opencensus", "skywalking", "opentelemetry", "prometheus", "envoyFileAccessLog", "envoyHttpAls",
    "envoyTcpAls", "envoyOtelAls", "sds",
  ]
  private static let schema = Schema(fields: ["name", "wasm"] + otherKinds)

  static func decode(_ node: Node, _ problems: Problems) -> MeshConfig.ExtensionProvider? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let name = fields.required("name") { (node) throws(ConfigError) in try node.text() }
    let kinds = (["wasm"] + otherKinds).filter(fields.has)
    guard kinds.count == 1, let kind = kinds.first, let provider = fields[kind] else {
      problems.error(
        kinds.isEmpty ? .required : .conflict, at: node.path,
        "expected exactly one kind of provider, found \(kinds.isEmpty ? "none" : kinds.joined(separator: ", "))"
      )
      return nil
    }
    guard kind == "wasm" else {
      problems.warning(.unsupported, at: provider.path, "is not acted on by this version")
      return name.map { .init(name: $0, provider: .other(kind: kind, provider.json)) }
    }
    let module = Fields(provider, Schema(fields: ["url"]), problems)?.required("url") {
      (node) throws(ConfigError) in try ModuleSource.decode(node)
    }
    guard let name, let module else { return nil }
    return .init(name: name, provider: .wasm(.init(url: module.url, source: module.source)))
  }
}

extension ProxyConfig {
  private static let schema = Schema(
    fields: ["proxyMetadata", "concurrency"],
    unsupported: [
      "availabilityZone", "binaryPath", "caCertificatesPem", "configPath", "controlPlaneAuthPolicy",
      "customConfigFile", "discoveryAddress", "drainDuration", "envoyAccessLogService",
      "envoyMetricsService", "envoyMetricsServiceAddress", "extraStatTags", "fileFlushInterval",
      "fileFlushMinSizeKb", "gatewayTopology", "holdApplicationUntilProxyStarts", "image",
      "interceptionMode", "meshId", "parentShutdownDuration", "privateKeyProvider",
      "proxyAdminPort", "proxyBootstrapTemplatePath", "proxyHeaders", "proxyStatsMatcher",
      "readinessProbe", "runtimeValues", "sds", "serviceCluster", "statNameLength",
      "statsCompression", "statsdUdpAddress", "statusPort", "terminationDrainDuration", "tracing",
      "tracingServiceName", "zipkinAddress",
    ])

  static func decode(_ node: Node, _ problems: Problems) -> ProxyConfig? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    var config = ProxyConfig()
    config.proxyMetadata =
      fields.optional("proxyMetadata") { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
    config.concurrency = fields.optional("concurrency") { (node) throws(ConfigError) in
      try node.integer(Int32.self, in: 0...Int32.max)
    }
    return config
  }
}
