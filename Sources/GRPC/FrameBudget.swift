// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A token bucket over frames that cost the sender nothing: PING, SETTINGS, PRIORITY, empty DATA,
/// and streams that we must reset because of the peer's mistakes.
///
/// Honest peers send a few a minute. Who empties the bucket is flooding, and its connection ends
/// with ENHANCE_YOUR_CALM (RFC 9113 §10.5). Streams reset by the peer and CONTINUATION frames have
/// their own limits inside libnghttp2.
struct FrameBudget {
  private let burst: Int64
  private let perSecond: Int64
  private var tokens: Int64
  private var filledAt: NIODeadline

  init(burst: Int, perSecond: Int, now: NIODeadline) {
    self.burst = Int64(burst)
    self.perSecond = Int64(perSecond)
    tokens = Int64(burst)
    filledAt = now
  }

  /// Takes one token.
  ///
  /// - Parameter now: Asked only when the bucket is empty, because most connections never get there.
  /// - Returns: False when the peer is flooding.
  mutating func spend(now: () -> NIODeadline) -> Bool {
    if tokens == 0 {
      let time = now()
      let earned = (time - filledAt).nanoseconds / (1_000_000_000 / perSecond)
      guard earned > 0 else { return false }
      tokens = min(burst, earned)
      filledAt = time
    }
    tokens -= 1
    return true
  }
}
