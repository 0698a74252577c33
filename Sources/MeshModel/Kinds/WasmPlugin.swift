// SPDX-License-Identifier: Apache-2.0

package import JSON

/// An `extensions.istio.io/v1alpha1` WasmPlugin: a Wasm module in the filter chains of workloads.
package struct WasmPlugin: ConfigObject {
  package static let kind = ObjectKind.wasmPlugin

  /// Where in the chain, relative to Istio's own filters; the raw value is the enum's name.
  package enum Phase: String, Hashable, Sendable, CaseIterable {
    case authn = "AUTHN"
    case authz = "AUTHZ"
    case stats = "STATS"
    case unspecified = "UNSPECIFIED_PHASE"
  }

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

  /// The traffic that a plugin acts on: its direction and its ports.
  package struct TrafficSelector: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
      case undefined = "UNDEFINED"
      case client = "CLIENT"
      case server = "SERVER"
      case clientAndServer = "CLIENT_AND_SERVER"
    }
    package var mode: Mode
    /// Empty matches every port.
    package var ports: [UInt16]

    package init(mode: Mode = .undefined, ports: [UInt16] = []) {
      self.mode = mode
      self.ports = ports
    }
  }

  package var meta: ObjectMeta
  /// Nil selects every workload of the namespace, or of the mesh in the root namespace.
  package var selector: LabelSelector?
  package var targetRefs: [PolicyTargetReference]
  /// As written; `ModuleSource` is what it means.
  package var url: String
  package var source: ModuleSource
  /// 64 lower-case hexadecimal digits, or nil.
  package var sha256: String?
  package var imagePullPolicy: PullPolicy
  package var imagePullSecret: String?
  package var verificationKey: String?
  /// An object; handed to the module as JSON text.
  package var pluginConfig: JSONValue?
  package var pluginName: String
  package var phase: Phase
  /// Higher runs first; nil comes after every number, as in Istio.
  package var priority: Int32?
  package var failStrategy: FailStrategy
  package var env: [EnvVar]
  /// Any of these; empty matches all traffic.
  package var match: [TrafficSelector]
  package var type: PluginType

  package init(meta: ObjectMeta, url: String, source: ModuleSource) {
    self.meta = meta
    self.url = url
    self.source = source
    selector = nil
    targetRefs = []
    sha256 = nil
    imagePullPolicy = .unspecified
    imagePullSecret = nil
    verificationKey = nil
    pluginConfig = nil
    pluginName = ""
    phase = .unspecified
    priority = nil
    failStrategy = .failClose
    env = []
    match = []
    type = .unspecified
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
