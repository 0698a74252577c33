// SPDX-License-Identifier: Apache-2.0

/// Who turns the URL of a module into a file that Envoy can open.
package protocol ModuleProvider: Sendable {
  /// The module if the pull policy lets what is on disk answer; never waits for network or hashing.
  ///
  /// Nil also for a module that is there but was not checked yet: `module(for:)` checks it.
  func cached(_ request: ModuleRequest) -> Module?

  /// The module from disk, from a download that goes on already, or from one of its own.
  ///
  /// One round: whoever wants to go on trying calls again. When the caller is cancelled, the
  /// download goes on for the others and for the next time.
  ///
  /// - Throws: why it cannot be had now; nothing was stored then.
  func module(for request: ModuleRequest) async throws(ModuleError) -> Module

  /// The module that the plugin got last, if it is still there; known across restarts.
  func lastGood(of plugin: String) -> Module?

  /// Says which modules a user holds from now on, in place of what it held before.
  ///
  /// - Parameters:
  ///   - modules: paths of modules; what a user holds is never deleted. Empty lets all go.
  ///   - user: one stream of an Envoy.
  func setInUse(_ modules: Set<String>, by user: String)
}
