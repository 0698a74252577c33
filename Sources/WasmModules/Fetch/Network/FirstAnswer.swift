// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The first of two answers to one question: the resolver's or the cancellation's.
final class FirstAnswer: Sendable {
  typealias Answer = Result<[IPAddress], ModuleError>

  private enum State {
    case nobodyAsked
    case asked(CheckedContinuation<Answer, Never>)
    case answered(Answer)
    case done
  }

  private let state = Mutex(State.nobodyAsked)

  func expect(_ continuation: CheckedContinuation<Answer, Never>) {
    let early: Answer? = state.withLock { state in
      guard case .answered(let answer) = state else {
        state = .asked(continuation)
        return nil
      }
      state = .done
      return answer
    }
    if let early { continuation.resume(returning: early) }
  }

  func give(_ answer: Answer) {
    let waiting: CheckedContinuation<Answer, Never>? = state.withLock { state in
      switch state {
      case .nobodyAsked:
        state = .answered(answer)
        return nil
      case .asked(let continuation):
        state = .done
        return continuation
      case .answered, .done: return nil
      }
    }
    waiting?.resume(returning: answer)
  }
}
