// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing
import WasmModules

/// A store survives the end of its process at any step.
@Suite struct StoreCrashTests {
  private static let (old, new) = ("http://h/old.wasm", "http://h/new.wasm")
  private static let modules = [old: wasm(1), new: wasm(2, size: 3000)]

  private func request(_ url: String) -> ModuleRequest { ModuleRequest(plugin: url, url: url) }

  @Test func `a download takes these steps in this order`() async throws {
    let rig = StoreRig(Self.modules)
    let steps = Log<StoreStep>()
    try await rig.opened(onStep: { step in
      steps.append(step)
      return nil
    }) { library in
      await rig.clock.sleeps.wait { !$0.isEmpty }
      _ = try await library.module(for: request(Self.new))
      #expect(
        steps.elements == [
          // The attempt that the source gave up.
          .createModule, .writeModule, .remove,
          .createModule, .writeModule, .writeModule, .syncModule, .renameModule, .syncModules,
          .createIndex, .writeIndex, .syncIndex, .renameIndex, .syncDirectory,
        ])
    }
  }

  /// From the Nth step on nothing works any more, which leaves the disk as the end of a process does.
  private func dead(from number: Int, _ count: Log<StoreStep>) -> @Sendable (StoreStep) -> Int32? {
    { step in
      count.append(step)
      return count.elements.count >= number ? EIO : nil
    }
  }

  @Test(arguments: 1...14)
  func `the store is whole after a crash before step N`(number: Int) async throws {
    let rig = StoreRig(Self.modules)
    let old = try await rig.opened { try await $0.module(for: request(Self.old)) }
    let count = Log<StoreStep>()
    try await rig.opened(onStep: dead(from: number, count)) { library in
      await rig.scrubbed(library)
      // From step 10 on the module is stored, and only the next process misses the index.
      let module = try? await library.module(for: request(Self.new))
      #expect((module != nil) == (number >= 10))
    }
    #expect(count.elements.count >= number)
    let before = rig.source.downloads
    try await rig.opened { library in
      try rig.expectWhole()
      await rig.scrubbed(library)
      #expect(library.cached(request(Self.old)) == old)
      #expect(library.lastGood(of: Self.old) == old)
      let new = try await library.module(for: request(Self.new))
      #expect(try Data(contentsOf: URL(fileURLWithPath: new.path)) == Data(wasm(2, size: 3000)))
      // The index names it only after step 13; by its digest it is found as soon as it has its name.
      #expect(rig.source.downloads == before + (number >= 14 ? 0 : 1))
    }
    try rig.expectWhole()
    #expect(rig.stored == [.of(wasm(1)), .of(wasm(2, size: 3000))])
    #expect(rig.warnings.elements.allSatisfy { $0.hasPrefix("cannot save the index") })
  }

  @Test(arguments: StoreStep.allCases)
  func `the store is whole after its process was killed before a step`(step: StoreStep) async throws
  {
    let rig = StoreRig(Self.modules)
    let old = try await rig.opened { try await $0.module(for: request(Self.old)) }
    await #expect(processExitsWith: .exitCode(9)) {
      [directory = rig.directory as String, step = step.rawValue as String] in
      let rig = StoreRig(at: directory, Self.modules)
      try await rig.opened({ $0.crashAt = CrashPoint(step) }) { library in
        _ = try await library.module(for: ModuleRequest(plugin: "n", url: Self.new))
      }
    }
    try await rig.opened { library in
      try rig.expectWhole()
      await rig.scrubbed(library)
      #expect(library.cached(request(Self.old)) == old)
      #expect(try await library.module(for: request(Self.new)).digest == .of(wasm(2, size: 3000)))
    }
    try rig.expectWhole()
    #expect(rig.warnings.elements == [])
  }

  @Test func `a module that was stored just before a crash is found by its digest`() async throws {
    let rig = StoreRig(Self.modules)
    await #expect(processExitsWith: .exitCode(9)) { [directory = rig.directory as String] in
      let rig = StoreRig(at: directory, Self.modules)
      try await rig.opened({ $0.crashAt = CrashPoint("create-index") }) { library in
        _ = try await library.module(for: ModuleRequest(plugin: "n", url: Self.new))
      }
    }
    try await rig.opened { library in
      var request = request(Self.new)
      request.sha256 = ModuleDigest.of(wasm(2, size: 3000)).hex
      _ = try await library.module(for: request)
    }
    #expect(rig.source.downloads == 0)
  }

  @Test func `crash points are written as step and number`() {
    #expect(CrashPoint("rename-module") == CrashPoint(.renameModule, occurrence: 1))
    #expect(CrashPoint("write-module:3") == CrashPoint(.writeModule, occurrence: 3))
    for text in ["", "write", "write-module:", "write-module:0", "write-module:1:1"] {
      #expect(CrashPoint(text) == nil)
    }
  }
}
