// SPDX-License-Identifier: Apache-2.0

package import Prometheus

/// Every metric of the xDS server; names, labels and buckets are istiod's.
package struct ServerMetrics: Sendable {
  /// Responses rejected by proxies, by their full type URL.
  let totalRejects: Counter
  /// Requests that carried the nonce of an older response.
  let expiredNonces: Counter
  /// Responses sent, by short type name.
  let pushes: Counter
  /// Size of responses in bytes.
  let configSize: Histogram
  /// From the first change of a push to its publication.
  let debounceTime: Histogram
  /// Making one snapshot and translating it for every class.
  let pushTime: Histogram
  /// From the publication to the ACK of the proxy's last type.
  let convergenceTime: Histogram
  let pushTriggers: Counter
  /// Connected proxies by version.
  let connected: Gauge
  let services: Gauge
  let virtualServices: Gauge
  /// Objects and fields that have no effect, by kind and name.
  let rejectedConfigs: Gauge
  /// Streams ended by the server because of a fault of its own or of the client.
  let internalErrors: Counter
  let writeTimeouts: Counter
  /// What agents report of Wasm modules, by phase.
  let moduleReports: Counter
  /// Translations made; stays at one for each change and class, whatever the number of proxies.
  let translations: Counter

  package init(in registry: MetricRegistry) {
    let seconds = [0.01, 0.1, 0.5, 1, 3, 5, 10, 20, 30]
    totalRejects = registry.counter(
      "pilot_total_xds_rejects", help: "Total number of XDS responses rejected by proxies.",
      labels: ["type"])
    expiredNonces = registry.counter(
      "pilot_xds_expired_nonce", help: "Total number of XDS requests with an expired nonce.",
      labels: ["type"])
    pushes = registry.counter(
      "pilot_xds_pushes", help: "Responses sent to proxies, by type.", labels: ["type"])
    configSize = registry.histogram(
      "pilot_xds_config_size_bytes", help: "Size of the responses sent to proxies.",
      labels: ["type"], buckets: [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000])
    debounceTime = registry.histogram(
      "pilot_debounce_time", help: "Delay between the first change and its push, in seconds.",
      buckets: seconds)
    pushTime = registry.histogram(
      "pilot_pushcontext_init_seconds",
      help: "Seconds to index the configuration and to translate it for every class of proxies.",
      buckets: [0.01, 0.1, 0.5, 1, 3, 5])
    convergenceTime = registry.histogram(
      "pilot_proxy_convergence_time",
      help: "Seconds from the publication of a change until the proxy has acknowledged it.",
      buckets: [0.1, 0.5, 1, 3, 5, 10, 20, 30])
    pushTriggers = registry.counter(
      "pilot_push_triggers", help: "What caused a push, by reason.", labels: ["type"])
    connected = registry.gauge(
      "pilot_xds", help: "Connected proxies, by their version.", labels: ["version"])
    services = registry.gauge("pilot_services", help: "Services known to the control plane.")
    virtualServices = registry.gauge(
      "pilot_virt_services", help: "VirtualServices known to the control plane.")
    rejectedConfigs = registry.gauge(
      "pilot_total_rejected_configs", help: "Objects refused or in part without effect.",
      labels: ["type", "name"])
    internalErrors = registry.counter(
      "pilot_total_xds_internal_errors", help: "Streams that ended by an error of the server.")
    writeTimeouts = registry.counter(
      "pilot_xds_write_timeout", help: "Streams closed because the proxy did not answer in time.")
    moduleReports = registry.counter(
      "skiff_wasm_module_reports_total",
      help: "What agents reported of the Wasm modules of their proxies, by phase.",
      labels: ["phase"])
    translations = registry.counter(
      "skiff_translations_total", help: "Translations made: one for each change and class.")
  }
}
