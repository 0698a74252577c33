// SPDX-License-Identifier: Apache-2.0

package import JSON

/// An `install.istio.io/v1alpha1` IstioOperator: here, the carrier of the mesh configuration.
package struct IstioOperator: ConfigObject {
  package static let kind = ObjectKind.istioOperator

  package var meta: ObjectMeta
  package var meshConfig: MeshConfig
  /// The whole spec as it was written; what is not acted on is kept and shown.
  package var spec: JSONValue

  package init(meta: ObjectMeta, meshConfig: MeshConfig, spec: JSONValue) {
    self.meta = meta
    self.meshConfig = meshConfig
    self.spec = spec
  }
}

/// Istio's MeshConfig, the fields that are acted on; the defaults are Istio's.
package struct MeshConfig: Hashable, Sendable {
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
    package init(name: String, provider: Provider) {
      self.name = name
      self.provider = provider
    }
  }

  package struct WasmProvider: Hashable, Sendable {
    package var url: String
    package var source: ModuleSource
    package init(url: String, source: ModuleSource) {
      self.url = url
      self.source = source
    }
  }

  /// The namespace whose objects apply to the whole mesh.
  package var rootNamespace = "istio-system"
  package var trustDomain = "cluster.local"
  /// In order of the first mention of each name.
  package var extensionProviders: [ExtensionProvider] = []
  package var defaultConfig = ProxyConfig()
  /// A path that access logs go to; empty for none.
  package var accessLogFile = ""
  /// False turns requests to unknown hosts away from sidecars (REGISTRY_ONLY).
  package var allowsAnyOutbound = true
  package var connectTimeout: Duration = .seconds(10)

  package init() {}
}

/// Istio's ProxyConfig, the fields that are acted on.
package struct ProxyConfig: Hashable, Sendable {
  /// Environment of the proxy; a name `ISTIO_META_X` becomes node metadata `X`.
  package var proxyMetadata: [String: String] = [:]
  package var concurrency: Int32?
  package init() {}
}
