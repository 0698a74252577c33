// SPDX-License-Identifier: Apache-2.0

/// Time and chance, as the fetcher uses them: all that a test replaces.
struct FetchTiming: Sendable {
  /// Time since this value was made.
  let now: @Sendable () -> Duration
  /// Waits; throws when the task is cancelled.
  let sleep: @Sendable (Duration) async throws -> Void
  /// A number in 0..<1.
  let chance: @Sendable () -> Double

  init<C: Clock<Duration>>(clock: C, chance: @escaping @Sendable () -> Double) {
    let start = clock.now
    now = { start.duration(to: clock.now) }
    sleep = { try await clock.sleep(for: $0) }
    self.chance = chance
  }

  /// Runs something for a limited time.
  ///
  /// - Parameters:
  ///   - limit: how long.
  ///   - isStalled: asked when the limit is over; false grants the same time once more.
  ///   - timedOut: what is thrown then.
  ///   - body: what is run; it is cancelled when its time is over.
  /// - Returns: what the body returns.
  /// - Throws: what the body throws, or `timedOut`.
  func within<Result: Sendable>(
    _ limit: Duration, isStalled: @escaping @Sendable () -> Bool = { true },
    timedOut: @escaping @Sendable () -> ModuleError,
    _ body: @escaping @Sendable () async throws(ModuleError) -> Result
  ) async throws(ModuleError) -> Result {
    typealias Outcome = Swift.Result<Result, ModuleError>
    let outcome = await withTaskGroup(of: Outcome?.self) { group in
      group.addTask {
        do throws(ModuleError) {
          return .success(try await body())
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        repeat {
          // Only cancellation throws: the body has ended, or the caller wants no more of it.
          do { try await sleep(limit) } catch { return nil }
        } while !isStalled()
        return .failure(timedOut())
      }
      var first: Outcome?
      while first == nil, let next = await group.next() { first = next }
      group.cancelAll()
      return first
    }
    guard let outcome else { preconditionFailure("a body ended without an outcome") }
    return try outcome.get()
  }
}
