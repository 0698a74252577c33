// SPDX-License-Identifier: Apache-2.0

/// How many events may be written: a bucket that fills with time.
///
/// A thousand objects whose one proxy restarts have two thousand transitions; their conditions tell all
/// of them, and a thousand rows that say the same help nobody.
struct EventBudget {
  private var left = Double(Self.burst)
  private var filledAt: ContinuousClock.Instant?

  static let burst = 100
  /// In a second.
  private static let rate = 5.0

  /// Takes so many or fewer out of the bucket; answers how many.
  mutating func take(_ count: Int, at now: ContinuousClock.Instant) -> Int {
    let elapsed = filledAt.map { ($0.duration(to: now)) / .seconds(1) } ?? 0
    left = min(Double(Self.burst), left + max(0, elapsed) * Self.rate)
    filledAt = now
    let taken = min(count, Int(left))
    left -= Double(taken)
    return taken
  }
}
