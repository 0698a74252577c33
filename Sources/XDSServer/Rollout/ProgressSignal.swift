// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Tells those who wait for a rollout that something moved: a push, an answer, a proxy that came or went.
///
/// Signals that nobody has taken yet are one. Without anybody who waits, an answer of a proxy costs
/// one atomic load.
final class ProgressSignal: Sendable {
  private struct State {
    var next = 0
    var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
  }

  private let state = Mutex(State())
  private let isAwaited = Atomic(false)

  func fire() {
    guard isAwaited.load(ordering: .acquiring) else { return }
    state.withLock { state in
      for continuation in state.waiting.values { continuation.yield() }
    }
  }

  /// Signals from now on, until the stream is let go.
  func signals() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state in
      state.next += 1
      state.waiting[state.next] = continuation
      isAwaited.store(true, ordering: .releasing)
      return state.next
    }
    continuation.onTermination = { [weak self] _ in self?.forget(number) }
    return stream
  }

  private func forget(_ number: Int) {
    state.withLock { state in
      state.waiting[number] = nil
      isAwaited.store(!state.waiting.isEmpty, ordering: .releasing)
    }
  }
}
