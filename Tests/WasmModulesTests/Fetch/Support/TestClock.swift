// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A clock on which waits of some lengths are over at once and all others last until told.
final class TestClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration
    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private struct Sleeper {
    var length: Duration
    var continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var now = Duration.zero
    var nextID = 0
    var passed: [Duration] = []
    var sleepers: [Int: Sleeper] = [:]
    var cancelled: Set<Int> = []
    /// Who waits for somebody to sleep that long.
    var watchers: [(length: Duration, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())
  private let passes: @Sendable (Duration) -> Bool

  /// - Parameter passing: which waits are over at once.
  init(passing: @escaping @Sendable (Duration) -> Bool = { $0 < .seconds(10) }) { passes = passing }

  var now: Instant { state.withLock { Instant(offset: $0.now) } }
  var minimumResolution: Duration { .nanoseconds(1) }
  /// The waits that were over at once, in order.
  var passed: [Duration] { state.withLock { $0.passed } }

  /// Waits until somebody sleeps for just so long, and lets that be over.
  func expire(_ length: Duration) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sleepers.values.contains(where: { $0.length == length }) { return true }
        state.watchers.append((length, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
    let sleeper: Sleeper? = state.withLock { state in
      let id = state.sleepers.filter { $0.value.length == length }.keys.min()
      state.now += length
      return id.flatMap { state.sleepers.removeValue(forKey: $0) }
    }
    sleeper?.continuation.resume(returning: true)
  }

  func advance(by duration: Duration) { state.withLock { $0.now += duration } }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let length = now.duration(to: deadline)
    if passes(length) {
      state.withLock { state in
        state.now += length
        state.passed.append(length)
      }
      return
    }
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let isOver = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let watchers: [CheckedContinuation<Void, Never>]? = state.withLock { state in
          if state.cancelled.contains(id) { return nil }
          state.sleepers[id] = Sleeper(length: length, continuation: continuation)
          let due = state.watchers.filter { $0.length == length }.map(\.continuation)
          state.watchers.removeAll { $0.length == length }
          return due
        }
        guard let watchers else { return continuation.resume(returning: false) }
        for watcher in watchers { watcher.resume() }
      }
    } onCancel: {
      let sleeper: Sleeper? = state.withLock { state in
        state.cancelled.insert(id)
        return state.sleepers.removeValue(forKey: id)
      }
      sleeper?.continuation.resume(returning: false)
    }
    if !isOver { throw CancellationError() }
  }
}
