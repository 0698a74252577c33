// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import JSON
import MeshModel
import ObjectStore
import Testing

/// The history on the disk.
@Suite struct SQLiteHistoryTests {
  private typealias Conformance = HistoryConformanceTests

  @Test func `the history goes on after a restart, within its limits`() async throws {
    let directory = TemporaryDirectory.make()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    func open() throws -> SQLiteStore {
      try SQLiteStore(directory: directory, history: HistoryLimits(entries: 3))
    }
    func edit(_ name: String, _ generation: Int64, _ store: SQLiteStore) async throws {
      try await Conformance.put(
        name, Conformance.json(name, generation: generation), by: Conformance.ann, in: store)
    }
    var store: SQLiteStore? = try open()
    for generation in 1...4 { try await edit("a", Int64(generation), #require(store)) }
    try await edit("b", 1, #require(store))
    try await Conformance.delete("b", by: Conformance.bob, in: #require(store))
    let told = try await Conformance.told(#require(store))
    #expect(
      told == [
        "a 2 ann former gen 2 new", "a 3 ann former gen 3 new", "a 4 ann current gen 4 new",
        "b 1 ann former gen 1 new", "b 2 bob deletion",
      ])
    store = nil
    let again = try open()
    #expect(await Conformance.told(again) == told)
    #expect(await again.history(in: nil)[0].author == Conformance.ann)
    try await edit("a", 5, again)
    #expect(
      await Conformance.told(again).prefix(3) == [
        "a 3 ann former gen 3 new", "a 4 ann former gen 4 new", "a 5 ann current gen 5 new",
      ])
  }

  /// The schema of version 1, as the first version of the program made it.
  private static let version1 = """
    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
    INSERT INTO grdb_migrations VALUES ('1');
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
    """

  @Test func `a directory of the time before there was a history opens and goes on`() async throws {
    let directory = TemporaryDirectory.make()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let ref = StoreConformanceTests.ref("a")
    let row = [ref.kind.group, ref.kind.kind, ref.namespace, ref.name]
    let text = Conformance.json("a", generation: 3, status: "old").text()
    try await DatabaseQueue(path: directory + "/skiff.sqlite").write { db in
      try db.execute(sql: Self.version1)
      try db.execute(
        sql: "INSERT INTO objects VALUES (?, ?, ?, ?, 'api', 2, ?)",
        arguments: StatementArguments(row + [text]))
      try db.execute(
        sql: "INSERT INTO changes VALUES (2, 'added', ?, ?, ?, ?, 'api', ?)",
        arguments: StatementArguments(row + [text]))
    }
    let store = try SQLiteStore(directory: directory)
    #expect(await store.object(ref)?.revision == Revision(2))
    #expect(await store.history(in: nil).isEmpty)
    try await Conformance.put(
      "a", Conformance.json("a", generation: 4), by: Conformance.ann, in: store)
    #expect(
      await Conformance.told(store) == ["a 1  former gen 3 old", "a 2 ann current gen 4 new"])
  }
}
