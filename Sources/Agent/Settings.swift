// SPDX-License-Identifier: Apache-2.0

package import Logging
package import MeshModel
package import Serving
package import WasmModules

/// How an agent runs: parsed once from flags and environment, then handed down.
package struct Settings: Sendable {
  /// The proxy that the agent is for.
  package struct Node: Hashable, Sendable {
    package var role: Proxy.Role
    package var name: String
    package var namespace: String
    package var ip = "127.0.0.1"
    package var labels: [String: String] = [:]

    package init(role: Proxy.Role, name: String, namespace: String) {
      self.role = role
      self.name = name
      self.namespace = namespace
    }

    package var isSidecar: Bool { role == .sidecar }
  }

  package var node: Node
  /// The process's environment: node metadata, headers and proxies are in it.
  package var environment: [String: String] = [:]
  /// Where skiffd serves ADS.
  package var xdsAddress: HostPort
  /// Absolute; holds the bootstrap, the socket and the modules.
  package var dataDirectory: String
  /// Readiness and metrics; 15020 is Istio's port.
  package var statusAddress = HostPort(host: "127.0.0.1", port: 15020)
  package var adminAddress = HostPort(host: "127.0.0.1", port: 15000)
  /// Nil for an agent that only relays, for an Envoy started elsewhere.
  package var envoy: String?
  package var envoyArguments: [String] = []
  package var drainDuration = Duration.seconds(5)
  package var exitsOnZeroConnections = false
  package var logLevel = Logger.Level.info
  package var logFormat = LogFormat.text

  package var wasmFailure = WasmFailureMode.reject
  /// False passes all resources as they are.
  package var rewritesWasm = true
  /// False sends no fetch reports, which another control plane than skiffd may not understand.
  package var reportsWasm = true
  package var modules = RemoteModuleSource.Settings()
  package var library: ModuleLibrary.Settings

  package init(node: Node, xdsAddress: HostPort, dataDirectory: String) {
    self.node = node
    self.xdsAddress = xdsAddress
    self.dataDirectory = dataDirectory
    library = ModuleLibrary.Settings(directory: "\(dataDirectory)/wasm")
  }

  package var socketPath: String { "\(dataDirectory)/xds.sock" }
  package var bootstrapPath: String { "\(dataDirectory)/envoy.json" }
}
