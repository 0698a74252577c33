// SPDX-License-Identifier: Apache-2.0

/// How long to wait between attempts: exponential, with jitter and a cap.
package struct Backoff: Hashable, Sendable {
  /// The wait after the first failure, before jitter.
  package var initial: Duration
  /// What each wait is multiplied by for the next.
  package var factor: Double
  /// The part of a wait that chance may add or take away.
  package var jitter: Double
  /// The longest wait, before jitter.
  package var cap: Duration

  /// A backoff; the defaults are those of Istio's fetcher (pkg/wasm/httpfetcher.go).
  package init(
    initial: Duration = .milliseconds(500), factor: Double = 1.5, jitter: Double = 0.5,
    cap: Duration = .seconds(60)
  ) {
    self.initial = initial
    self.factor = factor
    self.jitter = jitter
    self.cap = cap
  }

  /// The wait after some failures.
  ///
  /// - Parameters:
  ///   - failures: how many there were; 1 or more.
  ///   - chance: a number in 0..<1; 0.5 gives the wait without jitter.
  /// - Returns: how long to wait before the next attempt.
  package func delay(afterFailures failures: Int, chance: Double) -> Duration {
    var delay = initial
    for _ in 1..<max(1, failures) where delay < cap { delay = delay * factor }
    return min(delay, cap) * (1 + jitter * (2 * chance - 1))
  }
}
