// SPDX-License-Identifier: Apache-2.0

/// One round of asking for a module: where, what it must be, as whom, and how long.
package struct ModuleFetch: Sendable {
  /// Where the module is.
  package var location: ModuleLocation
  /// The digest that the configuration asks for, by Istio's definition; see `ModuleDigest`.
  package var expected: ModuleDigest?
  /// The pull secret; nil falls back to the docker configuration file of the settings.
  package var credentials: RegistryCredentials?
  /// Bounds a call of `ModuleSource` with all its retries, redirects and tokens.
  package var timeout: Duration

  /// A fetch with all that it needs.
  package init(
    location: ModuleLocation, expected: ModuleDigest? = nil,
    credentials: RegistryCredentials? = nil, timeout: Duration
  ) {
    self.location = location
    self.expected = expected
    self.credentials = credentials
    self.timeout = timeout
  }
}
