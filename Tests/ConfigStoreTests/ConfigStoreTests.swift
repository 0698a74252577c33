// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import Manifests
import MeshModel
import Testing

@Suite struct ConfigStoreTests {
  private struct Named: ConfigSource {
    let name: String
    func run(_ deliver: @Sendable ([ConfigEvent]) async -> Void) async throws {}
  }

  private func object(_ name: String, url: String = "oci://x") throws -> DecodedObject {
    let reading = ManifestReader().read(
      text: """
        apiVersion: extensions.istio.io/v1alpha1
        kind: WasmPlugin
        metadata: {name: \(name)}
        spec: {url: "\(url)"}
        """, file: "\(name).yaml")
    return try #require(reading.objects.first)
  }

  private func names(_ mesh: MeshSnapshot?) -> [String]? {
    mesh.map { ($0.plugins["default"] ?? []).map { "\($0.meta.name) \($0.module?.url ?? "")" } }
  }

  @Test func `there is no snapshot before every source has listed`() async throws {
    let store = ConfigStore(sources: [Named(name: "a"), Named(name: "b")])
    await store.handle([.listBegan, .apply(try object("x")), .listEnded], from: "a")
    #expect(await store.snapshot() == nil)
    await store.handle([.listBegan], from: "b")
    await store.handle([.apply(try object("y"))], from: "b")
    #expect(await store.snapshot() == nil)
    await store.handle([.listEnded], from: "b")
    #expect(names(await store.snapshot()) == ["x oci://x", "y oci://x"])
    #expect(await store.snapshot()?.revision == 1)
  }

  @Test func `a listing swaps at once, and what it does not name is gone`() async throws {
    let store = ConfigStore(sources: [Named(name: "a")])
    await store.handle(
      [.listBegan, .apply(try object("x")), .apply(try object("y")), .listEnded], from: "a")
    await store.handle([.listBegan, .apply(try object("z"))], from: "a")
    #expect(names(await store.snapshot()) == ["x oci://x", "y oci://x"])
    await store.handle([.apply(try object("y")), .delete(try object("z").ref)], from: "a")
    await store.handle([.listEnded], from: "a")
    #expect(names(await store.snapshot()) == ["y oci://x"])
  }

  @Test func `an object's form says which snapshots have it`() async throws {
    let store = ConfigStore(sources: [Named(name: "a"), Named(name: "b")])
    let (x, y) = (try object("x"), try object("y"))
    await store.handle([.listBegan, .apply(x), .listEnded], from: "a")
    await store.handle([.listBegan, .apply(y), .listEnded], from: "b")
    #expect(await store.snapshot()?.revision == 1)
    #expect(await store.forms().mapValues(\.since) == [x.ref: 1, y.ref: 1])
    var edited = x
    edited.meta.generation = 2
    edited.meta.uid = "u"
    await store.handle([.apply(edited), .apply(y)], from: "a")
    let form = try #require(await store.forms()[x.ref])
    #expect((form.uid, form.generation, form.since) == ("u", 2, 2))
    #expect(await store.snapshot()?.revision == 2)
    await store.handle([.listBegan, .apply(edited), .listEnded], from: "a")
    #expect(await store.forms()[x.ref]?.since == 2)
    await store.handle([.delete(x.ref)], from: "a")
    #expect(await store.forms()[x.ref] == nil)
  }

  @Test func `the same problems again are no change`() async throws {
    let store = ConfigStore(sources: [Named(name: "a")])
    await store.handle([.listBegan, .listEnded], from: "a")
    let problem = ConfigError(.invalid, reason: "bad")
    await store.handle([.problems([problem], of: "x")], from: "a")
    await store.handle([.problems([problem], of: "x"), .problems([], of: "y")], from: "a")
    #expect(await store.snapshot()?.revision == 2)
    await store.handle([.problems([], of: "x")], from: "a")
    #expect(await store.snapshot()?.revision == 3)
    #expect(await store.problems().isEmpty)
  }

  @Test func `a batch is one change, and what changes nothing is none`() async throws {
    let store = ConfigStore(sources: [Named(name: "a")])
    var changes = await store.changes().makeAsyncIterator()
    await store.handle([.listBegan, .apply(try object("x")), .listEnded], from: "a")
    await changes.next(isolation: #isolation)
    #expect(await store.snapshot()?.revision == 1)
    await store.handle([.apply(try object("x"))], from: "a")
    await store.handle([.delete(try object("gone").ref)], from: "a")
    #expect(await store.snapshot()?.revision == 1)
    await store.handle(
      [.apply(try object("x", url: "oci://y")), .apply(try object("y"))], from: "a")
    await store.handle([.delete(try object("y").ref)], from: "a")
    // Two changes since the consumer last looked are one.
    await changes.next(isolation: #isolation)
    #expect(names(await store.snapshot()) == ["x oci://y"])
    #expect(await store.snapshot()?.revision == 3)
    #expect(await store.snapshot() === store.snapshot())
  }

  @Test func `of an object in two sources the first source's counts`() async throws {
    let store = ConfigStore(sources: [Named(name: "a"), Named(name: "b")])
    await store.handle(
      [.listBegan, .apply(try object("x", url: "oci://b")), .listEnded], from: "b")
    await store.handle(
      [.listBegan, .apply(try object("x", url: "oci://a")), .listEnded], from: "a")
    #expect(names(await store.snapshot()) == ["x oci://a"])
    #expect(
      await store.problems().map(\.description) == [
        "WasmPlugin default/x: is already written at x.yaml:1, which stays in force; remove one of "
          + "them (x.yaml:1)"
      ])
    await store.handle([.delete(try object("x").ref)], from: "a")
    #expect(names(await store.snapshot()) == ["x oci://b"])
    #expect(await store.problems() == [])
  }

  @Test func `problems of a place are replaced and taken back`() async throws {
    let store = ConfigStore(sources: [Named(name: "a")])
    func problem(_ reason: String) -> ConfigError { ConfigError(.unavailable, reason: reason) }
    await store.handle(
      [.problems([problem("1")], of: "/a"), .problems([problem("2")], of: "/b")], from: "a")
    #expect(await store.problems().map(\.reason) == ["1", "2"])
    await store.handle([.listBegan, .listEnded, .problems([problem("3")], of: "/a")], from: "a")
    #expect(await store.problems().map(\.reason) == ["2", "3"])
    #expect(await store.snapshot()?.problems.map(\.reason) == ["2", "3"])
    await store.handle([.problems([], of: "/a"), .problems([], of: "/b")], from: "a")
    #expect(await store.problems() == [])
  }
}
