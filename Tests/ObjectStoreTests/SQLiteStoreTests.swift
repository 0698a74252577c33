// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import MeshModel
import ObjectStore
import Testing

@Suite struct SQLiteStoreTests {
  private typealias Conformance = StoreConformanceTests

  @Test func `objects, log and revisions go on after a restart`() async throws {
    let directory = TemporaryDirectory.make()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    func open() throws -> SQLiteStore {
      try SQLiteStore(directory: directory, limits: LogLimits(changes: 4))
    }

    var store: SQLiteStore? = try open()
    let start = try #require(await store?.revision())
    for name in ["a", "b", "c", "d", "e", "f"] {
      _ = try await store?.write([Conformance.create(name)])
    }
    let object = try #require(await store?.object(Conformance.ref("c")))
    _ = try await store?.write([
      Write(object.ref, .replace(Conformance.json("c", 7), owner: .directory, at: object.revision))
    ])
    let revision = try #require(await store?.revision())
    let log = try #require(try await store?.changes(after: Revision(5), limit: 10))
    let all = try #require(
      await store?.objects(of: .gateway, in: nil, after: nil, limit: nil).objects)
    store = nil

    let again = try open()
    #expect(await again.revision() == revision)
    #expect(await again.objects(of: .gateway, in: nil, after: nil, limit: nil).objects == all)
    #expect(
      try await again.changes(after: Revision(5), limit: 10).map(\.object) == log.map(\.object))
    await #expect(throws: StoreError.compacted(through: Revision(3))) {
      try await again.changes(after: start, limit: 10)
    }
    let next = try await again.write([Conformance.create("g")])
    #expect(next[0].revision == revision.next)
  }

  @Test func `one directory has one store`() throws {
    let directory = TemporaryDirectory.make()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try SQLiteStore(directory: directory)
    #expect(
      throws: StoreError.failed(
        "\(directory) is in use by another skiffd; give each its own --data-dir")
    ) {
      try SQLiteStore(directory: directory)
    }
    withExtendedLifetime(store) {}
  }

  @Test func `only its owner can read the directory`() throws {
    let directory = TemporaryDirectory.make()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try SQLiteStore(directory: directory)
    func mode(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(directory) == 0o700)
    #expect(try mode(directory + "/skiff.sqlite") == 0o600)
    withExtendedLifetime(store) {}
  }

  @Test func `what is no database is refused with a sentence`() throws {
    let directory = TemporaryDirectory.make()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    try Data("not a database, but long enough to be looked at as one".utf8)
      .write(to: URL(filePath: directory + "/skiff.sqlite"))
    #expect(throws: StoreError.self) { try SQLiteStore(directory: directory) }
  }
}
