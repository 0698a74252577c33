// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import JSON
import KubeClient

/// Waits for goals of objects, each for itself.
enum Goal {
  /// Waits for a goal.
  ///
  /// - Parameters:
  ///   - goal: what is waited for.
  ///   - keys: whose goal it is.
  ///   - timeout: how long, for all of them together.
  ///   - api: the server.
  ///   - reached: told of each object as soon as it is as it should be.
  /// - Throws: an exit with 1 where an object is not as it should be when the time is over.
  static func run(
    _ goal: WaitGoal, _ keys: [ObjectKey], for timeout: Duration, _ api: APIConnection,
    reached: (ObjectKey) -> Void
  ) async throws {
    var open = keys
    var known: [ObjectKey: JSONValue] = [:]
    func meet(_ isMet: (ObjectKey) -> Bool) {
      for key in open where isMet(key) { reached(key) }
      open.removeAll(where: isMet)
    }
    let collections = keys.map { WatchedCollection($0.kind, in: $0.namespace, name: $0.name) }
    _ = try await api.follow(collections, for: timeout, clock: ContinuousClock()) { index, news in
      let key = keys[index]
      switch news {
      case .state(let objects):
        known[key] = objects.first
        let isThere = !objects.isEmpty
        if goal == .delete ? !isThere : isThere && objects.contains(where: goal.isMet) {
          meet { $0 == key }
        }
        // As for kubectl, who waits for a condition waits for an object that is there.
        if case .condition = goal, !isThere {
          throw ClientFailure.local("\(key.kind.groupResource) \"\(key.name)\" not found")
        }
      case .changed(let object):
        known[key] = object
        if goal.isMet(by: object) { meet { $0 == key } }
      case .deleted:
        known[key] = nil
        if goal == .delete { meet { $0 == key } }
      }
      return !open.isEmpty
    }
    for key in open {
      let shortfall = known[key].map { ": \(goal.shortfall(of: $0))" } ?? ""
      printError(
        "error: timed out waiting for the condition on \(key.kind.plural)/\(key.name)\(shortfall)")
    }
    if !open.isEmpty { throw ExitCode(1) }
  }
}
