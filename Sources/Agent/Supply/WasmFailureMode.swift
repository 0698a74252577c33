// SPDX-License-Identifier: Apache-2.0

/// What Envoy gets while a Wasm module cannot be had; in every mode the agent goes on trying.
package enum WasmFailureMode: String, CaseIterable, Sendable {
  /// The former version of the resource stays, and the new one is refused as by a NACK.
  case reject
  /// An RBAC filter that allows or denies everything, as the plugin's failStrategy says.
  case fallback
  /// The new resource with the last module of that plugin that was good; without one, as `reject`.
  case keepLast = "keep-last"
}
