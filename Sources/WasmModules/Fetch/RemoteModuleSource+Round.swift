// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

extension RemoteModuleSource {
  /// Attempts until one succeeds, the failures are none that time mends, or time is over.
  ///
  /// A place among the running downloads is held during attempts, not during the waits between
  /// them. Waiting for the first place costs nothing of the timeout.
  ///
  /// - Parameters:
  ///   - fetch: whose timeout it is.
  ///   - attempt: what is tried.
  /// - Returns: what the attempt returned.
  /// - Throws: the last attempt's error; or, when time is over, a sentence with it.
  func round<Result: Sendable>(
    _ fetch: ModuleFetch,
    _ attempt: @escaping @Sendable (HTTPSession) async throws(ModuleError) -> Result
  ) async throws(ModuleError) -> Result {
    guard await slots.acquire() else { throw Self.cancelled(fetch) }
    let session = HTTPSession(settings: settings, resolver: resolver, eventLoops: eventLoops)
    let last = Mutex<ModuleError?>(nil)
    let note: @Sendable (ModuleError) -> Void = { error in last.withLock { $0 = error } }
    let timedOut: @Sendable () -> ModuleError = {
      let cause = last.withLock { $0?.reason }.map { "; \($0)" } ?? ""
      return ModuleError(
        .downloadFailure, "\(fetch.location): not complete within \(fetch.timeout)\(cause)",
        isRetryable: true)
    }
    do throws(ModuleError) {
      let result = try await timing.within(fetch.timeout, timedOut: timedOut) {
        () async throws(ModuleError) in
        try await attempts(fetch, in: session, noting: note, attempt)
      }
      await session.close()
      return result
    } catch {
      await session.close()
      throw error
    }
  }

  /// Holds a place when it is called, and none when it returns.
  private func attempts<Result: Sendable>(
    _ fetch: ModuleFetch, in session: HTTPSession,
    noting note: @Sendable (ModuleError) -> Void,
    _ attempt: @Sendable (HTTPSession) async throws(ModuleError) -> Result
  ) async throws(ModuleError) -> Result {
    var failures = 0
    while true {
      do throws(ModuleError) {
        let result = try await attempt(session)
        slots.release()
        return result
      } catch {
        slots.release()
        failures += 1
        note(error)
        logger.debug(
          "attempt to fetch a Wasm module failed",
          metadata: ["attempt": "\(failures)", "reason": "\(error.reason)"])
        let wait = delay(after: error, failures: failures)
        guard error.isRetryable, failures < settings.attempts, wait < fetch.timeout else {
          throw failures == 1 ? error : error.after(failures)
        }
        do { try await timing.sleep(wait) } catch { throw Self.cancelled(fetch) }
        guard await slots.acquire() else { throw Self.cancelled(fetch) }
      }
    }
  }

  private func delay(after error: ModuleError, failures: Int) -> Duration {
    let delay = settings.backoff.delay(afterFailures: failures, chance: timing.chance())
    guard case .retryAfter(let wish) = error.hint else { return delay }
    return max(delay, wish)
  }

  private static func cancelled(_ fetch: ModuleFetch) -> ModuleError {
    ModuleError(.downloadFailure, "\(fetch.location): cancelled", isRetryable: true)
  }
}

extension ModuleError {
  fileprivate func after(_ attempts: Int) -> ModuleError {
    var error = self
    error.reason += " (\(attempts) attempts)"
    return error
  }
}
