// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How much of a blob has come, seen by the attempt and by its watch.
final class BlobProgress: Sendable {
  private let state = Mutex((count: 0, seen: -1))

  var count: Int { state.withLock { $0.count } }

  func add(_ bytes: Int) { state.withLock { $0.count += bytes } }

  /// Whether nothing came since the last time that this was asked.
  func isStalled() -> Bool {
    state.withLock { state in
      defer { state.seen = state.count }
      return state.seen == state.count || state.count == 0
    }
  }
}
