// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Finds dead peers: a quiet connection is pinged, and one that stays quiet is dropped.
///
/// Any byte from the peer counts as life, so a busy connection is never pinged.
struct Keepalive {
  enum Action { case none, ping, drop }

  private let interval: TimeAmount
  private let timeout: TimeAmount
  private var aliveAt: NIODeadline
  private var pingedAt: NIODeadline?

  init(interval: TimeAmount, timeout: TimeAmount, now: NIODeadline) {
    self.interval = interval
    self.timeout = timeout
    aliveAt = now
  }

  /// What to do now; `heard` says that bytes have come in since the last check.
  mutating func check(at now: NIODeadline, heard: Bool) -> Action {
    if heard {
      aliveAt = now
      pingedAt = nil
      return .none
    }
    if let pingedAt {
      return now - pingedAt >= timeout ? .drop : .none
    }
    guard now - aliveAt >= interval else { return .none }
    pingedAt = now
    return .ping
  }
}
