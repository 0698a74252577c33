// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import Foundation
import Manifests
import MeshModel
import Testing

/// The directory source on the real file system; each step waits for what it caused.
@Suite(.timeLimit(.minutes(1))) struct DirectorySourceTests {
  private func plugin(_ name: String, url: String) -> String {
    """
    apiVersion: extensions.istio.io/v1alpha1
    kind: WasmPlugin
    metadata: {name: \(name)}
    spec: {url: "\(url)"}

    """
  }

  /// Runs a store on a folder of its own; inotify is the only trigger, as the re-scan is a day away.
  private func withStore(
    _ prepare: (String) throws -> Void,
    _ body: (String, ConfigStore, inout AsyncStream<Void>.Iterator) async throws -> Void
  ) async throws {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "skiff-source-\(UUID().uuidString)").path
    try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? manager.removeItem(atPath: folder) }
    try prepare(folder)
    let source = DirectorySource(
      roots: [folder], rescanInterval: .seconds(86_400), settlingTime: .milliseconds(20))
    let store = ConfigStore(sources: [source])
    let changes = await store.changes()
    try await withThrowingTaskGroup { group in
      group.addTask {
        do { try await store.run() } catch is CancellationError {}
      }
      var iterator = changes.makeAsyncIterator()
      _ = await iterator.next()
      try await body(folder, store, &iterator)
      group.cancelAll()
    }
  }

  private func urls(_ store: ConfigStore) async -> [String] {
    (await store.snapshot()?.plugins["default"] ?? []).map {
      "\($0.meta.name) \($0.module?.url ?? "")"
    }
  }

  /// Waits for changes until the plugins are as expected.
  private func expect(
    _ expected: [String], _ store: ConfigStore, _ changes: inout AsyncStream<Void>.Iterator
  ) async {
    while await urls(store) != expected {
      guard await changes.next(isolation: #isolation) != nil else { return }
    }
  }

  private func write(_ path: String, _ text: String, atomically: Bool = false) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: atomically ? .atomic : [])
  }

  @Test func `writes, renames, new directories and deletions are seen by inotify`() async throws {
    try await withStore { folder in
      try write("\(folder)/a.yaml", plugin("a", url: "oci://1"))
    } _: { folder, store, changes in
      let manager = FileManager.default
      await expect(["a oci://1"], store, &changes)
      try write("\(folder)/a.yaml", plugin("a", url: "oci://2"))
      await expect(["a oci://2"], store, &changes)
      try write("\(folder)/a.yaml", plugin("a", url: "oci://3"), atomically: true)
      await expect(["a oci://3"], store, &changes)
      try manager.createDirectory(atPath: "\(folder)/new", withIntermediateDirectories: true)
      try write("\(folder)/new/b.yaml", plugin("b", url: "oci://4"))
      await expect(["a oci://3", "b oci://4"], store, &changes)
      try manager.moveItem(atPath: "\(folder)/a.yaml", toPath: "\(folder)/c.yaml")
      try manager.removeItem(atPath: "\(folder)/new")
      await expect(["a oci://3"], store, &changes)
      try manager.removeItem(atPath: "\(folder)/c.yaml")
      await expect([], store, &changes)
    }
  }

  @Test func `a swap of ..data is seen by inotify`() async throws {
    let manager = FileManager.default
    func version(_ number: Int, in folder: String) throws {
      let dated = "\(folder)/..2026_\(number)"
      try manager.createDirectory(atPath: dated, withIntermediateDirectories: true)
      try write("\(dated)/a.yaml", plugin("a", url: "oci://\(number)"))
      try manager.createSymbolicLink(
        atPath: "\(folder)/..data_tmp", withDestinationPath: "..2026_\(number)")
      #expect(rename("\(folder)/..data_tmp", "\(folder)/..data") == 0)
    }
    try await withStore { folder in
      try version(1, in: folder)
      try manager.createSymbolicLink(
        atPath: "\(folder)/a.yaml", withDestinationPath: "..data/a.yaml")
    } _: { folder, store, changes in
      await expect(["a oci://1"], store, &changes)
      try version(2, in: folder)
      await expect(["a oci://2"], store, &changes)
    }
  }

  @Test func `a root that vanishes keeps everything and is seen when it comes back`() async throws {
    try await withStore { folder in
      try write("\(folder)/a.yaml", plugin("a", url: "oci://1"))
    } _: { folder, store, changes in
      let manager = FileManager.default
      await expect(["a oci://1"], store, &changes)
      try manager.moveItem(atPath: folder, toPath: "\(folder).away")
      while await store.problems().isEmpty { _ = await changes.next(isolation: #isolation) }
      #expect(
        await store.problems().map(\.description) == ["\(folder): no such file or directory"])
      #expect(await urls(store) == ["a oci://1"])
      try manager.moveItem(atPath: "\(folder).away", toPath: folder)
      while await !store.problems().isEmpty { _ = await changes.next(isolation: #isolation) }
      try write("\(folder)/a.yaml", plugin("a", url: "oci://2"))
      await expect(["a oci://2"], store, &changes)
    }
  }

  @Test func `triggers can be pulled by hand`() async throws {
    let files = InMemoryFileSystem()
    files.write("/c/a.yaml", plugin("a", url: "oci://1"))
    let source = DirectorySource(roots: ["/c"], fileSystem: files)
    let store = ConfigStore(sources: [source])
    let (triggers, trigger) = AsyncStream.makeStream(of: DirectoryIndex.Trigger.self)
    trigger.yield(.changed)
    trigger.yield(.changed)
    trigger.finish()
    try await source.run(triggers: triggers) { await store.handle($0, from: source.name) }
    #expect(await urls(store) == ["a oci://1"])
    #expect(await store.snapshot()?.revision == 1)
  }
}
