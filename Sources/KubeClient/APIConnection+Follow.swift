// SPDX-License-Identifier: Apache-2.0

import JSON

extension APIConnection {
  /// How long to wait before a watch that ended is begun again.
  private static let pause = Duration.milliseconds(250)

  /// Follows collections until `take` wants no more or the time is over.
  ///
  /// A server that goes away after the beginning is waited for: the state that it comes back with is
  /// told as a new one.
  ///
  /// - Parameters:
  ///   - collections: what to follow.
  ///   - timeout: how long.
  ///   - clock: measures it.
  ///   - take: gets the position of a collection and its news; false ends everything.
  /// - Returns: false where the time was over first.
  /// - Throws: what keeps the watch from beginning, and what `take` throws.
  package func follow(
    _ collections: [WatchedCollection], for timeout: Duration, clock: some Clock<Duration>,
    _ take: (Int, ObjectNews) throws -> Bool
  ) async throws -> Bool {
    let (news, out) = AsyncThrowingStream.makeStream(of: (Int, ObjectNews).self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, collection) in collections.enumerated() {
        group.addTask {
          do {
            try await follow(collection, clock: clock) { out.yield((index, $0)) }
          } catch {
            out.finish(throwing: error)
          }
        }
      }
      group.addTask {
        // Only cancellation throws: nobody waits any more.
        if (try? await clock.sleep(for: timeout)) != nil { out.finish() }
      }
      defer { group.cancelAll() }
      for try await (index, one) in news where try !take(index, one) { return true }
      return false
    }
  }

  private func follow(
    _ collection: WatchedCollection, clock: some Clock<Duration>, _ tell: (ObjectNews) -> Void
  ) async throws {
    let query =
      collection.query + [
        ("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"),
        ("allowWatchBookmarks", "true"),
      ]
    var hasBegun = false
    while true {
      var initial: [JSONValue]? = []
      do {
        _ = try await watch(collection.kind.path(in: collection.namespace), query: query) {
          type, object in
          switch type {
          case "BOOKMARK":
            if let state = initial { tell(.state(state)) }
            initial = nil
            hasBegun = true
          case "DELETED": tell(.deleted(object))
          default:
            if initial == nil { tell(.changed(object)) } else { initial?.append(object) }
          }
          return true
        }
      } catch let failure as ClientFailure where hasBegun && failure.isPassing {
        // The next round begins with the state.
      }
      try await clock.sleep(for: Self.pause)
    }
  }
}

extension ClientFailure {
  /// An outage, or a log of changes that has gone on without this watch.
  fileprivate var isPassing: Bool {
    if case .server(let status) = self { return status.code == 410 || isOutage }
    return isOutage
  }
}
