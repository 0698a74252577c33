// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Triggers that fired and were not taken yet.
///
/// A scan sees everything that happened before it, so triggers of a kind that come while one runs are
/// one; a `settled` is never lost to a `changed`, since only it confirms that something is gone.
final class TriggerSlot: Sendable, AsyncSequence {
  private struct Pending {
    /// The first scan needs no event.
    var hasChanged = true
    var settled: Int?
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    let slot: TriggerSlot
    var signals: AsyncStream<Void>.AsyncIterator

    mutating func next() async -> DirectoryIndex.Trigger? {
      while !Task.isCancelled {
        if let trigger = slot.take() { return trigger }
        guard await signals.next(isolation: #isolation) != nil else { return nil }
      }
      return nil
    }
  }

  private let pending = Mutex(Pending())
  private let signals: AsyncStream<Void>
  private let signal: AsyncStream<Void>.Continuation

  init() {
    (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(slot: self, signals: signals.makeAsyncIterator())
  }

  func fireChanged() {
    pending.withLock { $0.hasChanged = true }
    signal.yield()
  }

  func fireSettled(scan: Int) {
    pending.withLock { $0.settled = Swift.max($0.settled ?? 0, scan) }
    signal.yield()
  }

  /// `changed` first, so that what it finds back is not confirmed as gone.
  private func take() -> DirectoryIndex.Trigger? {
    pending.withLock { pending in
      if pending.hasChanged {
        pending.hasChanged = false
        return .changed
      }
      defer { pending.settled = nil }
      return pending.settled.map { .settled(scan: $0) }
    }
  }
}
