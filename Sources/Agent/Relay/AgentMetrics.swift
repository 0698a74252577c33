// SPDX-License-Identifier: Apache-2.0

package import Prometheus
import Synchronization

/// What the relay and the supply of modules count; names, labels and buckets are those of Istio's
/// agent where it has them.
package struct AgentMetrics: Sendable {
  /// Requests of Envoy and responses of skiffd.
  let requests: Counter
  let responses: Counter
  /// Connections to skiffd that failed to come about, and streams that ended.
  let upstreamFailures: Counter
  let upstreamTerminations: Counter
  /// Streams of Envoy that ended.
  let envoyTerminations: Counter
  /// Responses of the agent itself that Envoy refused, by their full type URL.
  let rejections: Counter
  /// How the rewriting of resources ended, and milliseconds until it did.
  let conversions: Counter
  let conversionTime: Histogram
  /// Resources that need a module, by the module's state.
  let modules: Gauge
  let fetches: PluginCounter

  package init(in registry: MetricRegistry) {
    requests = registry.counter(
      "istio_agent_xds_proxy_requests", help: "Discovery requests of the proxy.")
    responses = registry.counter(
      "istio_agent_xds_proxy_responses", help: "Discovery responses of the control plane.")
    upstreamFailures = registry.counter(
      "istio_agent_istiod_connection_failures",
      help: "Connections to the control plane that could not be made.")
    upstreamTerminations = registry.counter(
      "istio_agent_istiod_connection_terminations",
      help: "Streams to the control plane that ended, by how.", labels: ["type"])
    envoyTerminations = registry.counter(
      "istio_agent_envoy_connection_terminations",
      help: "Streams of the proxy that ended, by how.", labels: ["type"])
    rejections = registry.counter(
      "skiff_agent_xds_rejects_total",
      help: "Responses of the agent that the proxy rejected, by type.", labels: ["type"])
    conversions = registry.counter(
      "istio_agent_wasm_config_conversion_count",
      help: "Resources looked at for remote Wasm modules, by result.", labels: ["result"])
    conversionTime = registry.histogram(
      "istio_agent_wasm_config_conversion_duration",
      help: "Milliseconds until a resource had its Wasm modules, or had them not.",
      buckets: (0...14).map { Double(1 << $0) })
    modules = registry.gauge(
      "skiff_agent_wasm_module", help: "Resources that need a plugin's module, by its state.",
      labels: ["plugin", "phase"])
    fetches = PluginCounter(
      registry.counter(
        "skiff_agent_wasm_fetches_total", help: "Fetches of a plugin's module, by result.",
        labels: ["plugin", "result"]))
  }
}

/// Counts by plugin; names come from outside, so there is an end to how many are told apart.
final class PluginCounter: Sendable {
  private static let limit = 1000

  private let counter: Counter
  private let plugins = Mutex<Set<String>>([])

  init(_ counter: Counter) { self.counter = counter }

  func increment(_ plugin: String, _ result: String) {
    let isTold = plugins.withLock { plugins in
      if plugins.contains(plugin) { return true }
      guard plugins.count < Self.limit else { return false }
      plugins.insert(plugin)
      return true
    }
    counter.increment(isTold ? plugin : "other", result)
  }
}
