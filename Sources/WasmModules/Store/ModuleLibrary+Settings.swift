// SPDX-License-Identifier: Apache-2.0

/// What an operator may decide of a library.
extension ModuleLibrary {
  package struct Settings: Sendable {
    /// Absolute, for Envoy opens the paths below it; made if it is not there.
    ///
    /// No other process may have it.
    package var directory: String
    /// Above it modules that nobody uses go; those in use stay, and a new one is stored anyway.
    package var maximumBytes = 4 << 30
    /// A module that nobody used for so long goes (`WASM_MODULE_EXPIRY`).
    package var expiry = Duration.seconds(24 * 3600)
    /// How often that is looked at (`WASM_PURGE_INTERVAL`).
    package var purgeInterval = Duration.seconds(3600)
    /// How long a path that was handed out stays, whoever holds it.
    ///
    /// Envoy warms a configuration before it accepts it, and only then is the module said to be in
    /// use: Envoy's own limit for warming is 15 s for each part.
    package var handover = Duration.seconds(300)
    /// For tests that end the process while it writes.
    package var crashAt: CrashPoint?

    package init(directory: String) { self.directory = directory }
  }

  /// A module as a debug page shows it.
  package struct Holding: Hashable, Sendable {
    package var path: String
    package var bytes: Int
    /// Seconds since 1970.
    package var lastUse: Int64
    /// Whether its bytes were compared with its name since the start.
    package var isChecked: Bool
    package var users: [String]
    /// The plugins that got it last.
    package var plugins: [String]

    package init(
      path: String, bytes: Int, lastUse: Int64, isChecked: Bool, users: [String], plugins: [String]
    ) {
      self.path = path
      self.bytes = bytes
      self.lastUse = lastUse
      self.isChecked = isChecked
      self.users = users
      self.plugins = plugins
    }
  }
}
