// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ObjectStore
import Testing

/// What every store keeps of the past, run on each of them.
@Suite struct HistoryConformanceTests {
  typealias Kind = StoreConformanceTests.Kind

  static let ann = Authorship(manager: "ann", userAgent: "kubectl/v1", time: 10)
  static let bob = Authorship(manager: "bob", userAgent: "", time: 20)

  static func json(
    _ name: String, generation: Int64, value: String = "", status: String = "new"
  ) -> JSONValue {
    [
      "metadata": [
        "name": .string(name), "generation": .integer(generation),
        "managedFields": [["manager": "ann"]],
      ],
      "spec": ["value": .string(value)], "status": .string(status),
    ]
  }

  /// Makes, or changes as it is now.
  static func put(
    _ name: String, _ json: JSONValue, by author: Authorship?, in store: any Store
  ) async throws {
    let ref = StoreConformanceTests.ref(name)
    let existing = await store.object(ref)
    let operation =
      existing.map { Write.Operation.replace(json, owner: .api, at: $0.revision) }
      ?? .create(json, owner: .api)
    _ = try await store.write([Write(ref, operation, by: author)])
  }

  static func delete(_ name: String, by author: Authorship?, in store: any Store) async throws {
    let object = try #require(await store.object(StoreConformanceTests.ref(name)))
    _ = try await store.write([Write(object.ref, .delete(at: object.revision), by: author)])
  }

  /// `1 ann gen 1 done`, for each entry.
  static func told(_ store: any Store, in namespace: String? = nil) async -> [String] {
    await store.history(in: namespace).map { entry in
      let state =
        switch entry.state {
        case .current: "current"
        case .former: "former"
        case .deletion: "deletion"
        }
      let object = entry.object.map {
        " gen \($0["metadata"]?["generation"]?.text() ?? "") \($0["status"]?.stringValue ?? "")"
      }
      return "\(entry.ref.name) \(entry.number) \(entry.author.manager) \(state)\(object ?? "")"
    }
  }

  @Test(arguments: Kind.allCases)
  func `a generation is kept with what became of it`(_ kind: Kind) async throws {
    let store = try kind.make()
    try await Self.put("a", Self.json("a", generation: 1), by: Self.ann, in: store)
    #expect(await Self.told(store) == ["a 1 ann current gen 1 new"])
    try await Self.put("a", Self.json("a", generation: 1, status: "done"), by: nil, in: store)
    #expect(await Self.told(store) == ["a 1 ann current gen 1 done"])
    try await Self.put("a", Self.json("a", generation: 2), by: Self.bob, in: store)
    #expect(await Self.told(store) == ["a 1 ann former gen 1 done", "a 2 bob current gen 2 new"])
    try await Self.delete("a", by: Self.ann, in: store)
    #expect(
      await Self.told(store) == [
        "a 1 ann former gen 1 done", "a 2 bob former gen 2 new", "a 3 ann deletion",
      ])
    // A new object of the name goes on counting.
    try await Self.put("a", Self.json("a", generation: 1), by: Self.bob, in: store)
    #expect(await Self.told(store).suffix(2) == ["a 3 ann deletion", "a 4 bob current gen 1 new"])

    let first = await store.history(in: "default")[0]
    #expect(first.author == Self.ann)
    #expect(first.revision == Revision(2))
    #expect(first.object?["metadata"]?["managedFields"] == nil)
    #expect(first.object?["metadata"]?["resourceVersion"] == "3")
    #expect(await store.history(in: "other").isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `a writer without a name leaves no history`(_ kind: Kind) async throws {
    let store = try kind.make()
    try await Self.put("a", Self.json("a", generation: 1, value: "hush"), by: nil, in: store)
    try await Self.put("a", Self.json("a", generation: 2), by: nil, in: store)
    try await Self.delete("a", by: nil, in: store)
    #expect(await store.history(in: nil).isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `an object that is older than its history is kept as it was`(_ kind: Kind) async throws {
    let store = try kind.make()
    try await Self.put("a", Self.json("a", generation: 7), by: nil, in: store)
    try await Self.put("a", Self.json("a", generation: 8), by: Self.bob, in: store)
    #expect(await Self.told(store) == ["a 1  former gen 7 new", "a 2 bob current gen 8 new"])
    try await Self.put("b", Self.json("b", generation: 3), by: nil, in: store)
    try await Self.delete("b", by: Self.bob, in: store)
    #expect(await Self.told(store).suffix(2) == ["b 1  former gen 3 new", "b 2 bob deletion"])
  }

  @Test(arguments: Kind.allCases)
  func `a batch that fails leaves no history`(_ kind: Kind) async throws {
    let store = try kind.make()
    try await Self.put("b", Self.json("b", generation: 1), by: nil, in: store)
    await #expect(throws: StoreError.self) {
      try await store.write(
        ["a", "b"].map { name in
          Write(
            StoreConformanceTests.ref(name),
            .create(Self.json(name, generation: 1), owner: .api), by: Self.ann)
        })
    }
    #expect(await store.history(in: nil).isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `of one name so many entries are kept`(_ kind: Kind) async throws {
    let store = try kind.make(history: HistoryLimits(entries: 3))
    for generation in 1...6 {
      try await Self.put(
        "a", Self.json("a", generation: Int64(generation)), by: Self.ann, in: store)
    }
    try await Self.put("b", Self.json("b", generation: 1), by: Self.ann, in: store)
    #expect(
      await Self.told(store) == [
        "a 4 ann former gen 4 new", "a 5 ann former gen 5 new", "a 6 ann current gen 6 new",
        "b 1 ann current gen 1 new",
      ])
  }

  @Test(arguments: Kind.allCases)
  func `of all text so much is kept, the oldest goes first`(_ kind: Kind) async throws {
    let store = try kind.make(history: HistoryLimits(entries: 20, bytes: 4_500))
    let text = String(repeating: "x", count: 900)
    for generation in 1...3 {
      for name in ["a", "b"] {
        try await Self.put(
          name, Self.json(name, generation: Int64(generation), value: text), by: Self.ann, in: store
        )
      }
    }
    #expect(await Self.told(store).count == 6)
    try await Self.delete("b", by: Self.bob, in: store)
    // One former state more, and the deletion: the two oldest have gone, of whichever object.
    #expect(
      await Self.told(store) == [
        "a 2 ann former gen 2 new", "a 3 ann current gen 3 new", "b 1 ann former gen 1 new",
        "b 2 ann former gen 2 new", "b 3 ann former gen 3 new", "b 4 bob deletion",
      ])
    for generation in 4...30 {
      try await Self.put(
        "a", Self.json("a", generation: Int64(generation), value: text), by: Self.ann, in: store)
    }
    // A deleted object is forgotten in the end, one that is there keeps its last author.
    #expect(
      await Self.told(store) == (26...29).map { "a \($0) ann former gen \($0) new" }
        + ["a 30 ann current gen 30 new"])
  }
}
