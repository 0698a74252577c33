// SPDX-License-Identifier: Apache-2.0

/// Whether a module on disk will do; a digest leaves nothing to decide.
///
/// https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/#PullPolicy
package enum ModulePullPolicy: Hashable, Sendable {
  /// `always` for an image whose tag is `latest`, written or implied; else `ifNotPresent`.
  case unspecified
  /// Whatever the URL named last will do, whatever it names now.
  case ifNotPresent
  /// Asks what the URL names whenever the plugin's resource version changed.
  case always
}
