// SPDX-License-Identifier: Apache-2.0

/// Why a module could not be had.
///
/// It is what a NACK, a fetch report and a log line say, so `reason` must stand alone: the URL
/// (without user, password and query), what happened, and the remedy where there is one. Nothing
/// in it is ever a credential.
package struct ModuleError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The `result` label of `istio_agent_wasm_remote_fetch_count`; Istio's values.
  package enum Kind: String, Hashable, Sendable {
    /// The bytes did not come: network, status, timeout, credentials, size.
    case downloadFailure = "download_failure"
    /// The registry's manifest could not be had or names no module.
    case manifestFailure = "manifest_failure"
    /// All came, but it is not what the configuration asked for.
    case checksumMismatched = "checksum_mismatched"
    /// All came, but it is not a Wasm module; or the request itself cannot be carried out.
    case fetchFailure = "fetch_failure"
  }

  /// What failed, for counting.
  package var kind: Kind
  /// A sentence in lower case, without a full stop.
  package var reason: String
  /// Whether the same request may succeed in seconds, with nothing changed by a human.
  ///
  /// One round of retries looks at it. Rounds repeat whatever it says: a registry may be mended.
  package var isRetryable: Bool
  /// What the fetcher itself wants to know about it.
  var hint: Hint?

  /// What a failure means for what is tried next.
  enum Hint: Hashable, Sendable {
    /// The server asked to be left alone for so long (`Retry-After`).
    case retryAfter(Duration)
    /// The server did not speak TLS.
    case noTLS
    /// There was no connection, so another address of the host may be better.
    case noConnection
  }

  /// An error that says itself.
  package init(_ kind: Kind, _ reason: String, isRetryable: Bool = false) {
    self.kind = kind
    self.reason = reason
    self.isRetryable = isRetryable
  }

  /// The same error with a word before its reason: which URL or registry it is about.
  func about(_ subject: some CustomStringConvertible) -> ModuleError {
    var error = self
    error.reason = "\(subject): \(reason)"
    return error
  }

  package var description: String { "\(kind.rawValue): \(reason)" }
}
