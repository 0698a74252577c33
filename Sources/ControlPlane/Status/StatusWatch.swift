// SPDX-License-Identifier: Apache-2.0

import APIServer
import ConfigStore
import MeshModel
import XDSServer

/// Says what became of objects, and waits for it.
struct StatusWatch: Sendable {
  let ads: ADSServer
  let store: ConfigStore

  /// Between two looks while answers of proxies come in: a push of thousands is not looked at
  /// thousands of times.
  private static let pause = Duration.milliseconds(20)

  /// In the order of the objects.
  func statuses(of objects: [ObjectRef]) async -> [ObjectStatus] {
    let problems = Dictionary(
      grouping: Set(await store.problems() + ads.problems), by: \.object)
    return await ads.rollouts(of: objects).map { rollout in
      ObjectStatus(
        rollout, problems: (problems[rollout.object] ?? []).sorted(by: ConfigError.precedes))
    }
  }

  /// Waits until an object has a condition at some generation, or a later one.
  ///
  /// - Returns: the status, and whether it is what was waited for; false when the time is up.
  func wait(
    for condition: Condition.Kind, of object: ObjectRef, generation: Int64, timeout: Duration
  ) async -> (status: ObjectStatus, isMet: Bool) {
    let signals = ads.progressSignals()
    let problems = await store.changes()
    let deadline = ContinuousClock.now + timeout
    return await withTaskGroup(of: Void.self) { group in
      let (wakes, wake) = AsyncStream.makeStream(
        of: Bool.self, bufferingPolicy: .bufferingNewest(1))
      group.addTask { for await _ in signals { wake.yield(true) } }
      group.addTask { for await _ in problems { wake.yield(true) } }
      group.addTask {
        try? await ContinuousClock().sleep(until: deadline)
        wake.finish()
      }
      defer { group.cancelAll() }
      var status = await statuses(of: [object])[0]
      var iterator = wakes.makeAsyncIterator()
      while !Self.isMet(condition, status, generation) {
        guard await iterator.next() != nil else { return (status, false) }
        try? await ContinuousClock().sleep(for: Self.pause)
        status = await statuses(of: [object])[0]
      }
      return (status, true)
    }
  }

  private static func isMet(
    _ condition: Condition.Kind, _ status: ObjectStatus, _ generation: Int64
  ) -> Bool {
    (status.generation.map { $0 >= generation } ?? false) && status.isTrue(condition)
  }
}
