// SPDX-License-Identifier: Apache-2.0

import Testing
import WasmModules

/// What is deleted, and what never is.
@Suite struct PurgeTests {
  private static let modules = Dictionary(
    uniqueKeysWithValues: (0..<6).map { ("http://h/\($0)", wasm($0, size: 1000)) })
  private static let hour: Int64 = 3600

  private func request(_ number: Int) -> ModuleRequest {
    ModuleRequest(plugin: "p\(number)", url: "http://h/\(number)")
  }

  private func stored(_ numbers: Int...) -> Set<ModuleDigest> {
    Set(numbers.map { .of(wasm($0, size: 1000)) })
  }

  @Test func `a module goes when nobody used it for a day`() async throws {
    let rig = StoreRig(Self.modules)
    try await rig.opened { library in
      for number in 0...2 { _ = try await library.module(for: request(number)) }
      library.setInUse([rig.path(wasm(0, size: 1000))], by: "envoy")
      rig.pass(23 * Self.hour)
      #expect(library.cached(request(1)) != nil)
      rig.pass(2 * Self.hour)
      // What one of two lets go, the other still holds.
      library.setInUse([rig.path(wasm(0, size: 1000))], by: "another")
      library.setInUse([], by: "envoy")
      rig.clock.advance(by: .seconds(3600))
      await rig.events.wait { $0.last == .holds(entries: 2, bytes: 2 * wasm(0, size: 1000).count) }
      #expect(rig.stored == stored(0, 1))
      #expect(library.lastGood(of: "p2") == nil)
      rig.pass(25 * Self.hour)
      await library.purge()
      #expect(rig.stored == stored(0))
      // Use ends when it is let go, not when it was said.
      library.setInUse([], by: "another")
      rig.pass(23 * Self.hour)
      await library.purge()
      #expect(rig.stored == stored(0))
      rig.pass(2 * Self.hour)
      await library.purge()
      #expect(rig.stored == [])
    }
    try rig.expectWhole()
    #expect(rig.warnings.elements == [])
  }

  @Test func `above the limit what nobody used for longest goes first`() async throws {
    let rig = StoreRig(Self.modules)
    let limit = 3 * wasm(0, size: 1000).count
    try await rig.opened({ $0.maximumBytes = limit }) { library in
      for number in 0...2 {
        _ = try await library.module(for: request(number))
        rig.pass(Self.hour)
      }
      #expect(library.cached(request(0)) != nil)
      rig.pass(Self.hour)
      _ = try await library.module(for: request(3))
      #expect(rig.stored == stored(0, 2, 3))
      library.setInUse(Set([0, 2, 3].map { rig.path(wasm($0, size: 1000)) }), by: "envoy")
      rig.pass(Self.hour)
      #expect(rig.warnings.elements == [])
      _ = try await library.module(for: request(4))
      #expect(rig.stored == stored(0, 2, 3, 4))
      #expect(rig.warnings.elements.count == 1)
      // A path that was just handed out stays, though nobody has said yet that it is in use.
      _ = try await library.module(for: request(5))
      #expect(rig.stored == stored(0, 2, 3, 4, 5))
      rig.pass(Self.hour)
      await library.purge()
      #expect(rig.stored == stored(0, 2, 3))
    }
    try rig.expectWhole()
  }

  @Test func `times of use survive a restart`() async throws {
    let rig = StoreRig(Self.modules)
    try await rig.opened { library in
      _ = try await library.module(for: request(0))
      rig.pass(20 * Self.hour)
      _ = try await library.module(for: request(1))
    }
    rig.pass(5 * Self.hour)
    try await rig.opened { library in
      await rig.scrubbed(library)
      // Opening deletes nothing: an Envoy that is still there may be about to say what it uses.
      #expect(rig.stored == stored(0, 1))
      await library.purge()
      #expect(rig.stored == stored(1))
    }
  }

  @Test func `a clock that was set back keeps no module for ever`() async throws {
    let rig = StoreRig(Self.modules)
    try await rig.opened { library in
      _ = try await library.module(for: request(0))
      rig.pass(-1000 * Self.hour)
      await library.purge()
      rig.pass(25 * Self.hour)
      await library.purge()
    }
    #expect(rig.stored == [])
  }
}
