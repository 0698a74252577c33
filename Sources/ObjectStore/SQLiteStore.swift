// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import JSON
package import MeshModel

/// A store in a directory: every write is on the disk before it is answered.
///
/// All objects and the log are in memory too, so that reads never wait for the disk; SQLite in WAL mode
/// with `synchronous=FULL` is what survives. Writes block a thread of the store's own, none of those
/// that serve proxies.
package actor SQLiteStore: Store {
  private let executor = StoreExecutor()
  private let journal: SQLiteJournal
  private var state: StoreState
  private var history: History
  private var consumers: [AsyncStream<Void>.Continuation] = []

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  /// Opens or makes the store of a directory.
  ///
  /// - Parameters:
  ///   - directory: made if it is missing, for its owner alone, since the store holds secrets.
  ///   - limits: of the log.
  ///   - history: the limits of the history.
  /// - Throws: `StoreError.failed` with a sentence.
  package init(
    directory: String, limits: LogLimits = LogLimits(), history: HistoryLimits = HistoryLimits()
  ) throws(StoreError) {
    do {
      journal = try SQLiteJournal(directory: directory)
      state = try journal.load(limits: limits)
      self.history = History(try journal.history(), limits: history)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      throw .failed("\(directory) is in use by another skiffd; give each its own --data-dir")
    } catch {
      throw .failed("cannot open the store in \(directory): \(error)")
    }
  }

  package func revision() -> Revision { state.revision }

  package func object(_ ref: ObjectRef) -> StoredObject? { state.object(ref) }

  package func objects(
    of kind: ObjectKind, in namespace: String?, after: ObjectRef?, limit: Int?
  ) -> Listing {
    state.objects(of: kind, in: namespace, after: after, limit: limit)
  }

  package func write(_ writes: [Write]) throws(StoreError) -> [StoredObject] {
    let changes = try state.plan(writes)
    let steps = history.plan(changes, writes)
    do { try journal.append(changes, steps, compacting: state.compaction(with: changes)) } catch {
      throw .failed("the store cannot be written: \(error)")
    }
    state.take(changes)
    history.take(steps)
    consumers.signal()
    return changes.map(\.object)
  }

  package func history(in namespace: String?) -> [HistoryEntry] {
    history.entries(in: namespace) { state.object($0) }
  }

  package func changes(after: Revision, limit: Int) throws(StoreError) -> [Change] {
    try state.changes(after: after, limit: limit)
  }

  package func signals() -> AsyncStream<Void> { consumers.add() }
}
