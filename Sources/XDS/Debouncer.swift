// SPDX-License-Identifier: Apache-2.0

/// Says when to publish after a change: once it has been quiet for a while, but not for ever later.
///
/// The defaults are Istio's PILOT_DEBOUNCE_AFTER and PILOT_DEBOUNCE_MAX. The owner sleeps; time comes
/// in as a parameter.
package struct Debouncer: Sendable {
  /// How long nothing must have changed.
  package let quiet: Duration
  /// How long a change may wait at most while others follow.
  package let limit: Duration
  private var firstChange: ContinuousClock.Instant?
  /// When to publish; nil if nothing changed.
  package private(set) var deadline: ContinuousClock.Instant?

  package init(quiet: Duration = .milliseconds(100), limit: Duration = .seconds(10)) {
    self.quiet = quiet
    self.limit = limit
  }

  /// Notes a change, and answers when to publish unless another change comes first.
  package mutating func noteChange(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
    let first = firstChange ?? now
    firstChange = first
    let deadline = min(now + quiet, first + limit)
    self.deadline = deadline
    return deadline
  }

  /// Whether it is time to publish; if so, starts over.
  package mutating func publish(at now: ContinuousClock.Instant) -> Bool {
    guard let deadline, now >= deadline else { return false }
    self.deadline = nil
    firstChange = nil
    return true
  }
}
