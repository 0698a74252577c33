// SPDX-License-Identifier: Apache-2.0

/// A module as a resource asks for it: what a WasmPlugin says, as far as it decides which bytes.
package struct ModuleRequest: Hashable, Sendable {
  /// The name of the resource that wants it; pulls and last good modules are remembered by it.
  package var plugin: String
  package var url: String
  /// The digest that was asked for, 64 hexadecimal digits; nil and empty ask for none.
  package var sha256: String?
  package var pullPolicy: ModulePullPolicy
  /// Of the WasmPlugin; a new one makes policy `always` pull.
  ///
  /// Empty where nobody told it: then one pull will do until the next start.
  package var resourceVersion: String
  package var pullSecret: PullSecret?
  /// Bounds one round, all retries included.
  package var timeout: Duration

  package init(
    plugin: String, url: String, sha256: String? = nil,
    pullPolicy: ModulePullPolicy = .unspecified, resourceVersion: String = "",
    pullSecret: PullSecret? = nil, timeout: Duration = .seconds(30)
  ) {
    self.plugin = plugin
    self.url = url
    self.sha256 = sha256
    self.pullPolicy = pullPolicy
    self.resourceVersion = resourceVersion
    self.pullSecret = pullSecret
    self.timeout = timeout
  }
}
