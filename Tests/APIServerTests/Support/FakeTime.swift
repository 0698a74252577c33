// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Both clocks of a writer, moved by hand.
final class FakeTime: Sendable {
  private let elapsed = Mutex<Int64>(0)
  private let start = ContinuousClock.now

  var seconds: Int64 { APIClient.now + elapsed.withLock { $0 } }

  var instant: ContinuousClock.Instant { start + .seconds(elapsed.withLock { $0 }) }

  func pass(_ seconds: Int64) { elapsed.withLock { $0 += seconds } }
}
