// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension MeshConfig {
  private static let schema = Schema(
    fields: [
      "rootNamespace", "trustDomain", "extensionProviders", "defaultConfig", "accessLogFile",
      "accessLogFormat", "accessLogEncoding", "outboundTrafficPolicy", "connectTimeout",
      "dnsRefreshRate", "pathNormalization", "defaultServiceExportTo",
      "defaultVirtualServiceExportTo", "defaultDestinationRuleExportTo", "proxyListenPort",
      "proxyInboundListenPort", "protocolDetectionTimeout", "defaultHttpRetryPolicy",
      "localityLbSetting", "tcpKeepalive", "h2UpgradePolicy",
    ],
    unsupported: [
      "ca", "caCertificates", "certificates", "configSources",
      "defaultProviders", "disableEnvoyListenerLog", "discoverySelectors", "enableAutoMtls",
      "enableEnvoyAccessLogService", "enablePrometheusMerge", "enableTracing",
      "hboneIdleTimeout", "inboundClusterStatName", "inboundTrafficPolicy", "ingressClass",
      "ingressControllerMode", "ingressSelector", "ingressService",
      "meshMTLS", "outboundClusterStatName", "proxyHttpPort",
      "serviceScopeConfigs", "serviceSettings", "tlsDefaults", "trustDomainAliases",
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
    if let domain = fields.optional("trustDomain", text), domain != "cluster.local" {
      problems.warning(
        .unsupported, at: fields.path["trustDomain"],
        "has no effect: this version has no certificate authority, so workloads have no identities")
    }
    config.extensionProviders = ExtensionProvider.list(fields)
    config.defaultConfig =
      fields["defaultConfig"].flatMap { ProxyConfig.decode($0, problems) } ?? ProxyConfig()
    config.readAccessLog(fields)
    config.readTraffic(fields)
    config.readSidecars(fields)
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
    connectTimeout = fields.duration("connectTimeout", atLeast: .milliseconds(1)) ?? connectTimeout
    dnsRefreshRate = fields.duration("dnsRefreshRate", atLeast: .milliseconds(1)) ?? dnsRefreshRate
    defaultHTTPRetryPolicy = fields["defaultHttpRetryPolicy"].flatMap {
      VirtualService.Retries.decode($0, fields.problems)
    }
    localityLoadBalancing = fields["localityLbSetting"].flatMap {
      LocalityLoadBalancing.decode($0, fields.problems)
    }
    tcpKeepAlive = fields["tcpKeepalive"].flatMap {
      ConnectionPool.KeepAlive.decode($0, fields.problems)
    }
    upgradesToHTTP2 =
      fields.optional("h2UpgradePolicy") { (node) throws(ConfigError) in
        try node.enumeration(HTTP2Upgrade.self)
      } == .upgrade
    pathNormalization =
      fields.object("pathNormalization", Schema(fields: ["normalization"]))?
      .optional("normalization") { (node) throws(ConfigError) in
        try node.enumeration(PathNormalization.self)
      } ?? .default
  }
}

extension MeshConfig {
  private enum HTTP2Upgrade: String, CaseIterable {
    case never = "DO_NOT_UPGRADE"
    case upgrade = "UPGRADE"
  }

  private mutating func readSidecars(_ fields: Fields) {
    let port = { (node: Node) throws(ConfigError) in try node.port() }
    proxyListenPort = fields.optional("proxyListenPort", port) ?? proxyListenPort
    proxyInboundListenPort =
      fields.optional("proxyInboundListenPort", port) ?? proxyInboundListenPort
    if proxyListenPort == proxyInboundListenPort {
      fields.problems.error(
        .conflict,
        at: fields.path[
          fields.has("proxyListenPort") ? "proxyListenPort" : "proxyInboundListenPort"],
        "\(proxyListenPort) is the port for both directions; use different ones")
    }
    protocolDetectionTimeout =
      fields.duration("protocolDetectionTimeout", atLeast: .zero) ?? protocolDetectionTimeout
  }
}

extension Fields {
  /// A list of `*`, `.`, `~` and namespaces; empty where everything is meant.
  fileprivate func exportTo(_ name: String) -> [String] {
    let namespaces = strings(name)
    return namespaces.contains("*") ? [] : namespaces
  }
}
