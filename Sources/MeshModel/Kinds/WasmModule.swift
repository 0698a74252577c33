// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A Wasm module and how it is run: what a WasmPlugin, the `wasm` of a TrafficExtension and that of
/// an extension provider have in common.
package struct WasmModule: Hashable, Sendable {
  package enum PullPolicy: String, Hashable, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED_POLICY"
    case ifNotPresent = "IfNotPresent"
    case always = "Always"
  }

  package enum FailStrategy: String, Hashable, Sendable, CaseIterable {
    case failClose = "FAIL_CLOSE"
    case failOpen = "FAIL_OPEN"
    case failReload = "FAIL_RELOAD"
  }

  package enum PluginType: String, Hashable, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED_PLUGIN_TYPE"
    case http = "HTTP"
    case network = "NETWORK"
  }

  /// An environment variable of the Wasm VM.
  package struct EnvVar: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
      case inline(value: String)
      /// Taken from the environment of the Envoy process.
      case host
    }
    package var name: String
    package var source: Source

    package init(name: String, source: Source) {
      self.name = name
      self.source = source
    }
  }

  /// As written; `ModuleSource` is what it means.
  package var url: String
  package var source: ModuleSource
  /// 64 lower-case hexadecimal digits, or nil.
  package var sha256: String?
  package var imagePullPolicy: PullPolicy = .unspecified
  /// The name of a Secret in the namespace of whoever declares the module.
  package var imagePullSecret: String?
  package var verificationKey: String?
  /// An object; handed to the module as JSON text.
  package var pluginConfig: JSONValue?
  package var pluginName = ""
  package var failStrategy: FailStrategy = .failClose
  package var env: [EnvVar] = []
  package var type: PluginType = .unspecified

  package init(url: String, source: ModuleSource) {
    self.url = url
    self.source = source
  }
}

/// Where the bytes of a Wasm module come from.
package enum ModuleSource: Hashable, Sendable {
  /// A path on the proxy's file system, from `file://`.
  case file(path: String)
  /// An `http` or `https` URL.
  case http(url: String)
  /// An OCI image, from `oci://` or a reference without a scheme; holds the reference alone.
  case oci(reference: String)
}
