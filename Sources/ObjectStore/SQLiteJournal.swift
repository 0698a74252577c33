// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import JSON
import MeshModel

/// The database of a store: the objects, the log of changes with an object's state after each, and the
/// history.
///
/// One process has it at a time (`locking_mode=EXCLUSIVE`); the lock goes with the process, however it
/// ends.
struct SQLiteJournal: Sendable {
  let queue: DatabaseQueue

  init(directory: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let path = directory + "/skiff.sqlite"
    if !FileManager.default.fileExists(atPath: path) {
      // SQLite gives its other files the permissions of this one.
      _ = FileManager.default.createFile(
        atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    var configuration = Configuration()
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          PRAGMA locking_mode = EXCLUSIVE;
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          """)
    }
    queue = try DatabaseQueue(path: path, configuration: configuration)
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { db in
      try db.execute(
        sql: """
          CREATE TABLE objects (
            apiGroup TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL,
            name TEXT NOT NULL, owner TEXT NOT NULL, revision INTEGER NOT NULL,
            json TEXT NOT NULL,
            PRIMARY KEY (apiGroup, kind, namespace, name)
          ) WITHOUT ROWID;
          CREATE TABLE changes (
            revision INTEGER PRIMARY KEY, operation TEXT NOT NULL,
            apiGroup TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL,
            name TEXT NOT NULL, owner TEXT NOT NULL, json TEXT NOT NULL
          );
          """)
    }
    migrator.registerMigration("2") { db in try db.execute(sql: Self.historyTable) }
    try migrator.migrate(queue)
  }

  /// Makes changes durable, in one transaction.
  func append(_ changes: [Change], _ history: [HistoryStep], compacting: Revision?) throws {
    try queue.write { db in
      for change in changes {
        let ref = change.object.ref
        let key: [any DatabaseValueConvertible] = [
          ref.kind.group, ref.kind.kind, ref.namespace, ref.name,
        ]
        let json = change.object.json.text()
        let revision = Int64(change.revision.number)
        let owner = change.object.owner.rawValue
        if change.operation == .deleted {
          let statement = try db.cachedStatement(
            sql: """
              DELETE FROM objects
              WHERE apiGroup = ? AND kind = ? AND namespace = ? AND name = ?
              """)
          try statement.execute(arguments: StatementArguments(key))
        } else {
          let statement = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)")
          try statement.execute(arguments: StatementArguments(key + [owner, revision, json]))
        }
        let statement = try db.cachedStatement(
          sql: "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        try statement.execute(
          arguments: StatementArguments(
            [revision, change.operation.rawValue] + key + [owner, json]))
      }
      for step in history { try Self.take(step, db) }
      if let compacting {
        try db.execute(
          sql: "DELETE FROM changes WHERE revision <= ?",
          arguments: [Int64(compacting.number)])
      }
    }
  }

  /// Reads everything back.
  func load(limits: LogLimits) throws -> StoreState {
    try queue.read { db in
      var objects: [StoredObject] = []
      let stored = try Row.fetchCursor(db, sql: "SELECT * FROM objects")
      while let row = try stored.next() { objects.append(try Self.object(row)) }
      var changes: [Change] = []
      var last: [ObjectRef: StoredObject] = [:]
      let logged = try Row.fetchCursor(db, sql: "SELECT * FROM changes ORDER BY revision")
      while let row = try logged.next() {
        let object = try Self.object(row)
        let name: String = row["operation"]
        guard let operation = Change.Operation(rawValue: name) else {
          throw Unreadable(reason: "revision \(object.revision) is a \(name)")
        }
        changes.append(
          Change(operation: operation, object: object, previous: last[object.ref]))
        last[object.ref] = operation == .deleted ? nil : object
      }
      guard let newest = changes.last?.revision else { return StoreState(limits: limits) }
      guard newest.number - changes[0].revision.number == UInt64(changes.count - 1) else {
        throw Unreadable(reason: "the log of changes has gaps")
      }
      return StoreState(
        objects: objects, changes: changes, revision: newest, limits: limits)
    }
  }

  private static func object(_ row: Row) throws -> StoredObject {
    let ownerName: String = row["owner"]
    let text: String = row["json"]
    let revision: Int64 = row["revision"]
    let ref = ObjectRef(
      kind: ObjectKind(group: row["apiGroup"], kind: row["kind"]), namespace: row["namespace"],
      name: row["name"])
    guard let owner = Owner(rawValue: ownerName), let number = UInt64(exactly: revision) else {
      throw Unreadable(reason: "\(ref) has the owner \(ownerName) at revision \(revision)")
    }
    let json = try JSONValue(parsing: text)
    guard case .object = json else { throw Unreadable(reason: "\(ref) is \(json.kind)") }
    return StoredObject(ref: ref, owner: owner, revision: Revision(number), json: json)
  }

  /// A database that another program wrote to, or a damaged one.
  struct Unreadable: Error, CustomStringConvertible {
    let reason: String

    var description: String { "the database is damaged: \(reason)" }
  }
}
