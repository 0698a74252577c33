// SPDX-License-Identifier: Apache-2.0

/// Waiting times that double with every failure, spread so that many agents do not return at once.
package struct Backoff: Hashable, Sendable {
  /// Before the first retry.
  package var initial: Duration
  /// The longest wait, before it is spread by half of it either way.
  package var cap: Duration

  /// Makes a backoff that begins with `initial`.
  package init(initial: Duration, cap: Duration) {
    self.initial = initial
    self.cap = cap
  }

  /// The time to wait after so many failures in a row, one or more.
  ///
  /// - Parameters:
  ///   - failures: how many there were.
  ///   - random: from 0 up to 1; 0.5 waits exactly the doubled time.
  /// - Returns: from half to one and a half of the doubled time.
  package func delay(after failures: Int, random: Double) -> Duration {
    var delay = initial
    for _ in 1..<max(failures, 1) where delay < cap { delay *= 2 }
    return min(delay, cap) * (0.5 + random)
  }
}
