// SPDX-License-Identifier: Apache-2.0

import CSpawn
import Foundation
import Synchronization

/// How a process ended.
package enum ProcessExit: Hashable, Sendable {
  case code(Int32)
  case signal(Int32)

  /// As shells and orchestrators write it: 137 for one that was killed.
  package var status: Int32 {
    switch self {
    case .code(let code): code
    case .signal(let number): 128 + number
    }
  }
}

extension ProcessExit: CustomStringConvertible {
  package var description: String {
    switch self {
    case .code(let code): "code \(code)"
    case .signal(let number): "signal \(number)"
    }
  }
}

/// A program that never outlives this process, not even where that is killed.
///
/// The kernel ties it to the thread that started it, and threads of a pool come and go. So it has a
/// thread of its own, which waits for its end and leaves no zombie.
package final class ChildProcess: Sendable {
  /// Why there is no process.
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  private struct State {
    /// Nil when it has ended: the number may be another process's then.
    var pid: pid_t?
    var exit: ProcessExit?
    var waiters: [CheckedContinuation<ProcessExit, Never>] = []
  }

  package let pid: Int32
  private let state: Mutex<State>

  private init(pid: pid_t) {
    self.pid = pid
    state = Mutex(State(pid: pid))
  }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - file: a path, or a name to look for in PATH.
  ///   - arguments: without the program's own name.
  /// - Returns: the process, once the program runs.
  /// - Throws: A sentence where it cannot be run.
  package static func start(_ file: String, _ arguments: [String]) async throws -> ChildProcess {
    try await withCheckedThrowingContinuation { continuation in
      let thread = Thread {
        var strings = ([file] + arguments).map { strdup($0) } + [nil]
        let pid = skiff_spawn(file, &strings)
        for string in strings { free(string) }
        guard pid > 0 else {
          let reason = String(cString: strerror(-pid))
          continuation.resume(throwing: Failure(description: "cannot run \(file): \(reason)"))
          return
        }
        let process = ChildProcess(pid: pid)
        continuation.resume(returning: process)
        process.reap()
      }
      thread.name = "child"
      thread.start()
    }
  }

  /// Sends a signal, unless it has ended.
  package func send(_ signal: Int32) {
    state.withLock { state in
      if let pid = state.pid { kill(pid, signal) }
    }
  }

  /// How it ended; waits until it does, also in a task that is cancelled.
  package func exit() async -> ProcessExit {
    await withCheckedContinuation { continuation in
      let exit = state.withLock { state in
        if state.exit == nil { state.waiters.append(continuation) }
        return state.exit
      }
      if let exit { continuation.resume(returning: exit) }
    }
  }

  private func reap() {
    // Its number stays taken until the second wait, which excludes `send`.
    var info = siginfo_t()
    while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    let (exit, waiters) = state.withLock { state in
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      let exit =
        status & 0x7F == 0 ? ProcessExit.code(status >> 8 & 0xFF) : .signal(status & 0x7F)
      let waiters = state.waiters
      state = State(pid: nil, exit: exit)
      return (exit, waiters)
    }
    for waiter in waiters { waiter.resume(returning: exit) }
  }
}
