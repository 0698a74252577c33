// SPDX-License-Identifier: Apache-2.0

package import WasmModules

/// A Wasm plugin in a resource whose module is remote.
package struct ModuleUse: Hashable, Sendable {
  /// What to do with traffic when the module cannot be had.
  package enum FailStrategy: Hashable, Sendable {
    case open
    case closed
  }

  /// The plugin's name in its configuration; the filter's where it has none.
  package var plugin: String
  /// The module to fetch; nil where the configuration says "remote" but not where.
  package var request: ModuleRequest?
  package var failStrategy: FailStrategy
  /// Whether it is a network filter; else it is an HTTP filter.
  package var isNetwork: Bool

  package init(
    plugin: String, request: ModuleRequest?, failStrategy: FailStrategy, isNetwork: Bool
  ) {
    self.plugin = plugin
    self.request = request
    self.failStrategy = failStrategy
    self.isNetwork = isNetwork
  }

  /// Istio's time for a fetch where `http_uri` has none; zero could never succeed.
  static let defaultTimeout = Duration.seconds(5)
}

/// How the rewriting of a resource ended: the label `result` of
/// `istio_agent_wasm_config_conversion_count`, with Istio's values.
package enum WasmConversionResult: String, Hashable, Sendable, CaseIterable {
  case success
  case noRemoteLoad = "no_remote_load"
  case unmarshalFailure = "unmarshal_failure"
  case fetchFailure = "fetch_failure"
  case missRemoteFetchHint = "miss_remote_fetch_hint"
}
