// SPDX-License-Identifier: Apache-2.0

/// A `HistoryEntry` as it is kept.
struct HistoryRecord: Hashable, Sendable {
  enum State: Hashable, Sendable {
    case current
    /// Closed by the change of that revision.
    case former(String, closed: Revision)
    case deletion
  }

  let number: Int64
  let revision: Revision
  let author: Authorship
  var state: State

  /// What it takes of the limit; nil for what stays as long as the object.
  var bytes: Int? {
    switch state {
    case .current: nil
    case .former(let text, _): text.utf8.count
    // About a row and its place in the index, so that deletions are bounded too.
    case .deletion: 256
    }
  }

  /// When it began to count as past.
  var closed: Revision {
    if case .former(_, let closed) = state { closed } else { revision }
  }
}

/// What a write does to the history.
enum HistoryStep: Sendable {
  /// Takes the place of the record of that number.
  case put(HistoryKey, HistoryRecord)
  case drop(HistoryKey)
}
