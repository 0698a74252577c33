// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KubeClient

/// Waits until objects have reached the proxies, and shows how far they are.
enum RolloutWait {
  /// Exits with 1 where one was rejected, or the time is over.
  static func run(_ keys: [ObjectKey], for timeout: Duration, _ api: APIConnection) async throws {
    guard !keys.isEmpty else { return }
    var tracker = RolloutTracker(keys)
    var console = Console()
    let collections = Self.collections(of: keys)
    console.progress(tracker.line)
    let isDone = try await api.follow(collections, for: timeout, clock: ContinuousClock()) {
      index, news in
      console.print(lines: tracker.take(news, of: collections[index].kind))
      if tracker.isSettled { return false }
      console.progress(tracker.line)
      return true
    }
    console.clear()
    console.print(lines: tracker.summary)
    if !isDone {
      for line in tracker.overdue { printError("error: timed out waiting: \(line)") }
    }
    if !isDone || !tracker.failed.isEmpty { throw ExitCode(1) }
  }

  /// One watch for each kind and namespace.
  private static func collections(of keys: [ObjectKey]) -> [WatchedCollection] {
    var collections: [WatchedCollection] = []
    for key in keys {
      let same = collections.firstIndex { $0.kind == key.kind && $0.namespace == key.namespace }
      if let same {
        collections[same].name = nil
      } else {
        collections.append(WatchedCollection(key.kind, in: key.namespace, name: key.name))
      }
    }
    return collections
  }
}

extension ServedKind {
  /// Whether skiffd says of its objects which proxies run them.
  var isProgrammed: Bool { hasStatus && !["Namespace", "Pod"].contains(kind) }
}
