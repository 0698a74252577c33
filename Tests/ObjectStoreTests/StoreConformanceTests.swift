// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import MeshModel
import ObjectStore
import Testing

/// What every store does, run on each of them.
@Suite struct StoreConformanceTests {
  enum Kind: CaseIterable {
    case memory
    case sqlite

    func make(
      limits: LogLimits = LogLimits(changes: 100), history: HistoryLimits = HistoryLimits()
    ) throws -> any Store {
      switch self {
      case .memory: MemoryStore(limits: limits, history: history)
      case .sqlite:
        try SQLiteStore(
          directory: TemporaryDirectory.make(), limits: limits, history: history)
      }
    }
  }

  static func ref(_ name: String, in namespace: String = "default") -> ObjectRef {
    ObjectRef(kind: .gateway, namespace: namespace, name: name)
  }

  static func json(_ name: String, _ value: Int = 0) -> JSONValue {
    ["kind": "Gateway", "metadata": ["name": .string(name)], "spec": ["value": .integer(value)]]
  }

  static func create(_ name: String, in namespace: String = "default") -> Write {
    Write(ref(name, in: namespace), .create(json(name), owner: .api))
  }

  @Test(arguments: Kind.allCases)
  func `what was written is there, at the revision that wrote it`(_ kind: Kind) async throws {
    let store = try kind.make()
    let start = await store.revision()
    let written = try await store.write([Self.create("a")])
    #expect(written.map(\.revision) == [start.next])
    #expect(await store.object(Self.ref("a")) == written[0])
    #expect(written[0].json["metadata"]?["resourceVersion"]?.stringValue == "\(start.next)")
    #expect(await store.revision() == start.next)
    #expect(await store.object(Self.ref("b")) == nil)
  }

  @Test(arguments: Kind.allCases)
  func `a name is created once`(_ kind: Kind) async throws {
    let store = try kind.make()
    _ = try await store.write([Self.create("a")])
    await #expect(throws: StoreError.exists(Self.ref("a"))) {
      try await store.write([Self.create("a")])
    }
  }

  @Test(arguments: Kind.allCases)
  func `a writer that has not seen the last change is refused`(_ kind: Kind) async throws {
    let store = try kind.make()
    let first = try await store.write([Self.create("a")])[0]
    let replace = Write(
      first.ref, .replace(Self.json("a", 1), owner: .api, at: first.revision))
    let second = try await store.write([replace])[0]
    await #expect(throws: StoreError.conflict(first.ref, found: second.revision)) {
      try await store.write([replace])
    }
    await #expect(throws: StoreError.conflict(first.ref, found: second.revision)) {
      try await store.write([Write(first.ref, .delete(at: first.revision))])
    }
    #expect(await store.object(first.ref) == second)
  }

  @Test(arguments: Kind.allCases)
  func `what is not there is neither replaced nor deleted`(_ kind: Kind) async throws {
    let store = try kind.make()
    let ref = Self.ref("a")
    await #expect(throws: StoreError.missing(ref)) {
      try await store.write([Write(ref, .delete(at: Revision(1)))])
    }
    await #expect(throws: StoreError.missing(ref)) {
      try await store.write([
        Write(ref, .replace(Self.json("a"), owner: .api, at: Revision(1)))
      ])
    }
  }

  @Test(arguments: Kind.allCases)
  func `a batch is written as a whole or not at all`(_ kind: Kind) async throws {
    let store = try kind.make()
    _ = try await store.write([Self.create("b")])
    let before = await store.revision()
    await #expect(throws: StoreError.exists(Self.ref("b"))) {
      try await store.write([Self.create("a"), Self.create("b")])
    }
    #expect(await store.object(Self.ref("a")) == nil)
    #expect(await store.revision() == before)
    #expect(try await store.changes(after: before, limit: 10).isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `a listing is sorted, and goes on where the last page ended`(_ kind: Kind) async throws {
    let store = try kind.make()
    let names = ["c", "a", "e", "b", "d"]
    _ = try await store.write(names.map { Self.create($0) })
    _ = try await store.write([Self.create("z", in: "alpha"), Self.create("a", in: "other")])
    func list(_ namespace: String?, _ after: ObjectRef?, _ limit: Int?) async -> Listing {
      await store.objects(of: .gateway, in: namespace, after: after, limit: limit)
    }
    let first = await list("default", nil, 2)
    #expect(first.objects.map(\.ref.name) == ["a", "b"])
    #expect(first.remaining == 3)
    let last = try #require(first.objects.last)
    _ = try await store.write([Write(last.ref, .delete(at: last.revision))])
    let rest = await list("default", last.ref, nil)
    #expect(rest.objects.map(\.ref.name) == ["c", "d", "e"])
    #expect(rest.remaining == 0)
    #expect(
      await list(nil, nil, nil).objects.map { $0.ref.namespace + "/" + $0.ref.name }
        == ["alpha/z", "default/a", "default/c", "default/d", "default/e", "other/a"])
    #expect(await list("nobody", nil, nil).objects.isEmpty)
    #expect(
      await store.objects(of: .wasmPlugin, in: nil, after: nil, limit: nil).objects.isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `the log tells every change in order, with what was before`(_ kind: Kind) async throws {
    let store = try kind.make()
    let start = await store.revision()
    let added = try await store.write([Self.create("a")])[0]
    let replaced = try await store.write([
      Write(added.ref, .replace(Self.json("a", 1), owner: .api, at: added.revision))
    ])[0]
    let deleted = try await store.write([Write(added.ref, .delete(at: replaced.revision))])[0]
    let changes = try await store.changes(after: start, limit: 10)
    #expect(changes.map(\.operation) == [.added, .modified, .deleted])
    #expect(changes.map(\.object) == [added, replaced, deleted])
    #expect(changes.map(\.previous) == [nil, added, replaced])
    #expect(deleted.json["spec"]?["value"] == 1)
    #expect(try await store.changes(after: added.revision, limit: 1) == [changes[1]])
    #expect(try await store.changes(after: deleted.revision, limit: 1).isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `who asks for more of the past than the log holds is told so`(_ kind: Kind) async throws {
    let store = try kind.make(limits: LogLimits(changes: 4))
    let start = await store.revision()
    for name in ["a", "b", "c", "d", "e"] { _ = try await store.write([Self.create(name)]) }
    #expect(try await store.changes(after: start, limit: 10).count == 5)
    _ = try await store.write([Self.create("f")])
    let oldest = Revision(start.number + 2)
    await #expect(throws: StoreError.compacted(through: oldest)) {
      try await store.changes(after: start, limit: 10)
    }
    #expect(
      try await store.changes(after: oldest, limit: 10).map(\.object.ref.name)
        == ["c", "d", "e", "f"])
  }

  @Test(arguments: Kind.allCases)
  func `large objects make the log shorter`(_ kind: Kind) async throws {
    let store = try kind.make(limits: LogLimits(changes: 100, bytes: 40_000))
    let text = JSONValue.string(String(repeating: "x", count: 9_000))
    for name in ["a", "b", "c", "d", "e"] {
      let json: JSONValue = ["metadata": ["name": .string(name)], "spec": ["text": text]]
      _ = try await store.write([Write(Self.ref(name), .create(json, owner: .api))])
    }
    #expect(
      try await store.changes(after: Revision(3), limit: 10).map(\.object.ref.name)
        == ["c", "d", "e"])
    await #expect(throws: StoreError.compacted(through: Revision(3))) {
      try await store.changes(after: Revision(2), limit: 10)
    }
  }

  @Test(arguments: Kind.allCases)
  func `a signal comes after a change and none before`(_ kind: Kind) async throws {
    let store = try kind.make()
    var signals = await store.signals().makeAsyncIterator()
    _ = try await store.write([Self.create("a")])
    _ = try await store.write([Self.create("b")])
    #expect(await signals.next() != nil)
    #expect(await store.revision() > Revision(1))
  }
}

enum TemporaryDirectory {
  /// A path below the system's directory for such things, not made yet.
  static func make() -> String {
    NSTemporaryDirectory() + "skiff-store-\(UUID().uuidString)"
  }
}
