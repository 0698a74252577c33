// SPDX-License-Identifier: Apache-2.0

import GRDB
import MeshModel

/// The history in the database: a row for each record.
extension SQLiteJournal {
  /// `closed` and `json` are there for what was superseded.
  static let historyTable = """
    CREATE TABLE history (
      apiGroup TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
      number INTEGER NOT NULL, revision INTEGER NOT NULL,
      manager TEXT NOT NULL, userAgent TEXT NOT NULL, time INTEGER,
      state TEXT NOT NULL, closed INTEGER, json TEXT,
      PRIMARY KEY (apiGroup, kind, namespace, name, number)
    ) WITHOUT ROWID;
    """

  private enum Word: String {
    case current
    case former
    case deletion
  }

  static func take(_ step: HistoryStep, _ db: Database) throws {
    switch step {
    case .put(let key, let record):
      var word = Word.current
      var closed: Int64?
      var json: String?
      switch record.state {
      case .current: break
      case .former(let text, let revision):
        (word, closed, json) = (.former, Int64(revision.number), text)
      case .deletion: word = .deletion
      }
      let author = record.author
      let values: [(any DatabaseValueConvertible)?] =
        columns(key) + [
          Int64(record.revision.number), author.manager, author.userAgent, author.time,
          word.rawValue, closed, json,
        ]
      let statement = try db.cachedStatement(
        sql: "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      try statement.execute(arguments: StatementArguments(values))
    case .drop(let key):
      let statement = try db.cachedStatement(
        sql: """
          DELETE FROM history
          WHERE apiGroup = ? AND kind = ? AND namespace = ? AND name = ? AND number = ?
          """)
      try statement.execute(arguments: StatementArguments(columns(key)))
    }
  }

  private static func columns(_ key: HistoryKey) -> [(any DatabaseValueConvertible)?] {
    [key.ref.kind.group, key.ref.kind.kind, key.ref.namespace, key.ref.name, key.number]
  }

  /// Reads all of it back.
  func history() throws -> [(HistoryKey, HistoryRecord)] {
    try queue.read { db in
      var records: [(HistoryKey, HistoryRecord)] = []
      let rows = try Row.fetchCursor(db, sql: "SELECT * FROM history")
      while let row = try rows.next() { records.append(try Self.record(row)) }
      return records
    }
  }

  private static func record(_ row: Row) throws -> (HistoryKey, HistoryRecord) {
    let ref = ObjectRef(
      kind: ObjectKind(group: row["apiGroup"], kind: row["kind"]), namespace: row["namespace"],
      name: row["name"])
    let number: Int64 = row["number"]
    let revision: Int64 = row["revision"]
    let word: String = row["state"]
    let closed: Int64? = row["closed"]
    let json: String? = row["json"]
    let state: HistoryRecord.State
    switch (Word(rawValue: word), closed.flatMap(UInt64.init(exactly:)), json) {
    case (.current, _, _): state = .current
    case (.deletion, _, _): state = .deletion
    case (.former, let closed?, let json?): state = .former(json, closed: Revision(closed))
    default: throw Unreadable(reason: "number \(number) in the history of \(ref) is a \(word)")
    }
    guard let made = UInt64(exactly: revision) else {
      throw Unreadable(reason: "number \(number) in the history of \(ref) has no revision")
    }
    let author = Authorship(
      manager: row["manager"], userAgent: row["userAgent"], time: row["time"])
    return (
      HistoryKey(ref: ref, number: number),
      HistoryRecord(number: number, revision: Revision(made), author: author, state: state)
    )
  }
}
