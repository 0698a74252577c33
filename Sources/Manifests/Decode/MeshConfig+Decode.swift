// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension MeshConfig {
  private static let schema = Schema(
    fields: [
      "rootNamespace", "trustDomain", "extensionProviders", "defaultConfig", "accessLogFile",
      "accessLogFormat", "accessLogEncoding", "outboundTrafficPolicy", "connectTimeout",
      "dnsRefreshRate", "pathNormalization", "defaultServiceExportTo",
      "defaultVirtualServiceExportTo", "defaultDestinationRuleExportTo",
    ],
    unsupported: [
      "ca", "caCertificates", "certificates", "configSources", "defaultHttpRetryPolicy",
      "defaultProviders", "disableEnvoyListenerLog", "discoverySelectors", "enableAutoMtls",
      "enableEnvoyAccessLogService", "enablePrometheusMerge", "enableTracing", "h2UpgradePolicy",
      "hboneIdleTimeout", "inboundClusterStatName", "inboundTrafficPolicy", "ingressClass",
      "ingressControllerMode", "ingressSelector", "ingressService", "localityLbSetting",
      "meshMTLS", "outboundClusterStatName", "protocolDetectionTimeout", "proxyHttpPort",
      "proxyInboundListenPort", "proxyListenPort", "serviceScopeConfigs",
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
    config.written = Set(schema.fields.filter(fields.has))
    let text = { (node: Node) throws(ConfigError) in try node.text() }
    config.rootNamespace = fields.optional("rootNamespace", text) ?? config.rootNamespace
    config.trustDomain = fields.optional("trustDomain", text) ?? config.trustDomain
    config.extensionProviders = ExtensionProvider.list(fields)
    config.defaultConfig =
      fields["defaultConfig"].flatMap { ProxyConfig.decode($0, problems) } ?? ProxyConfig()
    config.readAccessLog(fields)
    config.readTraffic(fields)
    config.defaultServiceExportTo = fields.exportTo("defaultServiceExportTo")
    config.defaultVirtualServiceExportTo = fields.exportTo("defaultVirtualServiceExportTo")
    config.defaultDestinationRuleExportTo = fields.exportTo("defaultDestinationRuleExportTo")
    return config
  }

  private mutating func readAccessLog(_ fields: Fields) {
    accessLogFile = fields.string("accessLogFile")
    accessLogFormat = fields.string("accessLogFormat")
    accessLogEncoding =
      fields.optional("accessLogEncoding") { (node) throws(ConfigError) in
        try node.enumeration(AccessLogEncoding.self)
      } ?? .text
    guard accessLogEncoding == .json, !accessLogFormat.isEmpty else { return }
    // Envoy takes a listener with a bad format for no listener.
    if AccessLogFormat.json(accessLogFormat) == nil {
      fields.problems.error(
        at: fields.path["accessLogFormat"],
        "expected an object in JSON, as accessLogEncoding is JSON")
    }
  }

  private mutating func readTraffic(_ fields: Fields) {
    let mode = fields.object("outboundTrafficPolicy", Schema(fields: ["mode"]))?.optional("mode") {
      (node) throws(ConfigError) in try node.enumeration(OutboundMode.self)
    }
    allowsAnyOutbound = mode != .registryOnly
    func duration(_ name: String, atLeast least: Duration) -> Duration? {
      fields.optional(name) { (node) throws(ConfigError) in
        let duration = try node.duration()
        guard duration >= least else { throw node.expected("at least \(least.goString)") }
        return duration
      }
    }
    connectTimeout = duration("connectTimeout", atLeast: .milliseconds(1)) ?? connectTimeout
    dnsRefreshRate = duration("dnsRefreshRate", atLeast: .milliseconds(1)) ?? dnsRefreshRate
    pathNormalization =
      fields.object("pathNormalization", Schema(fields: ["normalization"]))?
      .optional("normalization") { (node) throws(ConfigError) in
        try node.enumeration(PathNormalization.self)
      } ?? .default
  }
}

extension Fields {
  /// A list of `*`, `.`, `~` and namespaces; empty where everything is meant.
  fileprivate func exportTo(_ name: String) -> [String] {
    let namespaces = strings(name)
    return namespaces.contains("*") ? [] : namespaces
  }
}
