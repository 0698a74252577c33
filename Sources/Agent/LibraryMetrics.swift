// SPDX-License-Identifier: Apache-2.0

import Prometheus
import WasmModules

/// What happens in the library of modules, under the names of Istio's agent.
struct LibraryMetrics: Sendable {
  private let entries: Gauge
  private let bytes: Gauge
  private let lookups: Counter
  private let fetches: Counter

  init(in registry: MetricRegistry) {
    entries = registry.gauge(
      "istio_agent_wasm_cache_entries", help: "Wasm modules on the agent's disk.")
    bytes = registry.gauge(
      "skiff_agent_wasm_cache_bytes", help: "The size of the Wasm modules on the agent's disk.")
    lookups = registry.counter(
      "istio_agent_wasm_cache_lookup_count", help: "Looks for a Wasm module on disk.",
      labels: ["hit"])
    fetches = registry.counter(
      "istio_agent_wasm_remote_fetch_count", help: "Fetches of Wasm modules, by result.",
      labels: ["result"])
  }

  func count(_ event: ModuleEvent) {
    switch event {
    case .lookup(let isHit): lookups.increment("\(isHit)")
    case .fetched(_, let failure, _, _): fetches.increment(failure?.rawValue ?? "success")
    case .holds(let count, let size):
      entries.set(Double(count))
      bytes.set(Double(size))
    }
  }
}
