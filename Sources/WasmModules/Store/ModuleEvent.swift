// SPDX-License-Identifier: Apache-2.0

/// What the library does, for whoever counts.
package enum ModuleEvent: Hashable, Sendable {
  /// A look into the cache: `istio_agent_wasm_cache_lookup_count{hit}`.
  ///
  /// As Istio counts: a request counts one, and one more when a registry's answer is looked up. A
  /// miss of `cached` counts nothing, for `module(for:)` follows.
  case lookup(isHit: Bool)
  /// A fetch ended, whoever shares it: `istio_agent_wasm_remote_fetch_count{result}`.
  ///
  /// `failure` nil is `success`. Bytes are the module's; 0 where none were stored.
  case fetched(plugins: [String], failure: ModuleError.Kind?, bytes: Int, duration: Duration)
  /// What is on disk now: `istio_agent_wasm_cache_entries`, and its size in bytes.
  case holds(entries: Int, bytes: Int)
}
