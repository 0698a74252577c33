// SPDX-License-Identifier: Apache-2.0

/// Where modules come from.
package protocol ModuleSource: Sendable {
  /// What the location names now, without its bytes.
  ///
  /// - Returns: an image's manifest digest, after it was compared with `fetch.expected`; nil for
  ///   http, where only a download tells.
  /// - Throws: why it cannot be known, after one round of retries.
  func resolve(_ fetch: ModuleFetch) async throws(ModuleError) -> ModuleDigest?

  /// Writes the module's bytes to the sink, verified.
  ///
  /// - Parameters:
  ///   - fetch: what is asked for.
  ///   - resolved: what `resolve` returned, so that a tag that moves in between does not matter.
  ///   - sink: begun anew with each attempt.
  /// - Returns: the digest that Istio verifies: the manifest's of an image, else the module's.
  /// - Throws: why there is no module, after one round of retries; the sink holds garbage then.
  func download(
    _ fetch: ModuleFetch, resolved: ModuleDigest?, to sink: any ModuleSink
  ) async throws(ModuleError) -> ModuleDigest
}
