// SPDX-License-Identifier: Apache-2.0

package import JSON

/// Istio's MeshConfig, the fields that are acted on; the defaults are Istio's.
package struct MeshConfig: Hashable, Sendable {
  package enum AccessLogEncoding: String, Hashable, Sendable, CaseIterable {
    case text = "TEXT"
    case json = "JSON"
  }

  /// How much a path is brought into one form before it is matched.
  package enum PathNormalization: String, Hashable, Sendable, CaseIterable {
    case `default` = "DEFAULT"
    case none = "NONE"
    case base = "BASE"
    case mergeSlashes = "MERGE_SLASHES"
    case decodeAndMergeSlashes = "DECODE_AND_MERGE_SLASHES"
  }

  /// The namespace whose objects apply to the whole mesh.
  package var rootNamespace = "istio-system"
  /// In order of the first mention of each name.
  package var extensionProviders: [ExtensionProvider] = []
  package var defaultConfig = ProxyConfig()
  /// A path that access logs go to; empty for none.
  package var accessLogFile = ""
  /// Empty for Istio's; with encoding JSON an object in JSON.
  package var accessLogFormat = ""
  package var accessLogEncoding = AccessLogEncoding.text
  /// False turns requests to unknown hosts away from sidecars (REGISTRY_ONLY).
  package var allowsAnyOutbound = true
  package var connectTimeout: Duration = .seconds(10)
  /// How often names of clusters are looked up again.
  package var dnsRefreshRate: Duration = .seconds(60)
  package var pathNormalization = PathNormalization.default
  /// Where connections of a workload are redirected to.
  package var proxyListenPort: UInt16 = 15001
  /// Where connections to a workload are redirected to.
  package var proxyInboundListenPort: UInt16 = 15006
  /// How long sidecars wait for the first bytes that say what is spoken; 0 for as long as it takes.
  package var protocolDetectionTimeout: Duration = .zero
  /// For routes that say nothing about retries; nil for Istio's own.
  package var defaultHTTPRetryPolicy: VirtualService.Retries?
  /// For destinations whose policy says nothing about localities, connections that are kept alive
  /// and HTTP/2.
  package var localityLoadBalancing: LocalityLoadBalancing?
  package var tcpKeepAlive: ConnectionPool.KeepAlive?
  package var upgradesToHTTP2 = false
  /// What objects export to that do not say it; empty for every namespace.
  package var defaultServiceExportTo: [String] = []
  package var defaultVirtualServiceExportTo: [String] = []
  package var defaultDestinationRuleExportTo: [String] = []

  /// The names of the fields that were written: what `override` takes over.
  package var written: Set<String> = []

  package init() {}
}

extension MeshConfig {
  /// An entry of `extensionProviders`.
  package struct ExtensionProvider: Hashable, Sendable {
    package enum Provider: Hashable, Sendable {
      /// A Wasm module, which a route can refer to by the name of the provider.
      case wasm(WasmProvider)
      /// Any other kind of provider, kept as it was written.
      case other(kind: String, JSONValue)
    }
    package var name: String
    package var provider: Provider
    /// The entry in the object that declares it; known once configurations are merged.
    package var origin: Origin?
    /// The position in the list that it was written in.
    package var index: Int

    package init(name: String, provider: Provider, index: Int) {
      self.name = name
      self.provider = provider
      self.index = index
    }
  }

  package struct WasmProvider: Hashable, Sendable {
    package var module: WasmModule
    package var phase: PluginPlacement.Phase
    package var priority: Int32?
    /// Changes when anything of the provider does.
    package var version: String

    package init(
      module: WasmModule, phase: PluginPlacement.Phase, priority: Int32?, version: String
    ) {
      self.module = module
      self.phase = phase
      self.priority = priority
      self.version = version
    }
  }
}

extension MeshConfig {
  /// The fields that are replaced as a whole.
  private static let scalars: [(name: String, copy: @Sendable (inout Self, Self) -> Void)] = [
    ("rootNamespace", { $0.rootNamespace = $1.rootNamespace }),
    ("accessLogFile", { $0.accessLogFile = $1.accessLogFile }),
    ("accessLogFormat", { $0.accessLogFormat = $1.accessLogFormat }),
    ("accessLogEncoding", { $0.accessLogEncoding = $1.accessLogEncoding }),
    ("outboundTrafficPolicy", { $0.allowsAnyOutbound = $1.allowsAnyOutbound }),
    ("connectTimeout", { $0.connectTimeout = $1.connectTimeout }),
    ("dnsRefreshRate", { $0.dnsRefreshRate = $1.dnsRefreshRate }),
    ("pathNormalization", { $0.pathNormalization = $1.pathNormalization }),
    ("proxyListenPort", { $0.proxyListenPort = $1.proxyListenPort }),
    ("proxyInboundListenPort", { $0.proxyInboundListenPort = $1.proxyInboundListenPort }),
    ("protocolDetectionTimeout", { $0.protocolDetectionTimeout = $1.protocolDetectionTimeout }),
    ("defaultHttpRetryPolicy", { $0.defaultHTTPRetryPolicy = $1.defaultHTTPRetryPolicy }),
    ("localityLbSetting", { $0.localityLoadBalancing = $1.localityLoadBalancing }),
    ("tcpKeepalive", { $0.tcpKeepAlive = $1.tcpKeepAlive }),
    ("h2UpgradePolicy", { $0.upgradesToHTTP2 = $1.upgradesToHTTP2 }),
    ("defaultServiceExportTo", { $0.defaultServiceExportTo = $1.defaultServiceExportTo }),
    (
      "defaultVirtualServiceExportTo",
      { $0.defaultVirtualServiceExportTo = $1.defaultVirtualServiceExportTo }
    ),
    (
      "defaultDestinationRuleExportTo",
      { $0.defaultDestinationRuleExportTo = $1.defaultDestinationRuleExportTo }
    ),
  ]

  /// Takes over what another configuration writes, as Istio merges: fields replace fields,
  /// `defaultConfig` merges field by field and its metadata key by key, providers by name.
  ///
  /// `origin` is where `other` stands; its providers get theirs from it.
  package mutating func override(with other: MeshConfig, from origin: Origin) {
    for (name, copy) in Self.scalars where other.written.contains(name) { copy(&self, other) }
    written.formUnion(other.written)
    defaultConfig.override(with: other.defaultConfig)
    for var provider in other.extensionProviders {
      provider.origin = origin
      provider.origin?.path = origin.path["extensionProviders"][provider.index]
      if let known = extensionProviders.firstIndex(where: { $0.name == provider.name }) {
        extensionProviders[known] = provider
      } else {
        extensionProviders.append(provider)
      }
    }
  }
}
