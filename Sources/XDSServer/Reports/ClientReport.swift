// SPDX-License-Identifier: Apache-2.0

package import AgentAPI
package import MeshModel
package import XDS

/// A connected proxy as the debug pages show it: a copy, taken on the stream's event loop.
package struct ClientReport: Sendable {
  /// `<node id>-<counter>`, as Istio names a connection.
  package var connectionID: String
  package var connectedAt: ContinuousClock.Instant
  package var address: String
  package var proxy: Proxy
  package var proxyClass: ProxyClass?
  /// What the proxy gets; nil until the first translation for its class is done.
  package var snapshot: ResourceSnapshot?
  /// The types that the stream has asked for, in push order.
  package var types: [TypeReport]
  /// What the agent beside the proxy told of its Wasm modules, by resource; empty without an agent.
  package var modules: [Skiff_Agent_V1_WasmModuleStatus]
}

extension ADSServer {
  /// All connected proxies, by connection id.
  package func clients() async -> [ClientReport] {
    await streams.map { $0.report }.sorted { $0.connectionID < $1.connectionID }
  }
}
