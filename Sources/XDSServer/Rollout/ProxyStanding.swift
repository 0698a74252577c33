// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import XDS

/// Where a connected proxy stands: a copy, taken on the stream's event loop, that is looked at elsewhere.
struct ProxyStanding: Sendable {
  var proxy: Rollout.Proxy
  var entry: ProxyClassEntry
  /// Whether its class is that of the mesh in force.
  var isPlaced: Bool
  var state: StreamState
  var modules: [Skiff_Agent_V1_WasmModuleStatus]
}
