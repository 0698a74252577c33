// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import WasmModules

/// Many who want the same.
@Suite struct FlightTests {
  private func request(_ plugin: String, _ url: String, version: String = "1") -> ModuleRequest {
    ModuleRequest(plugin: plugin, url: url, resourceVersion: version)
  }

  private func misses(_ events: [ModuleEvent]) -> Int {
    events.count { $0 == .lookup(isHit: false) }
  }

  @Test func `two hundred requests for twenty modules are twenty downloads`() async throws {
    let urls = (0..<20).map { "http://h/\($0).wasm" }
    let rig = StoreRig(
      Dictionary(uniqueKeysWithValues: urls.enumerated().map { ($1, wasm($0, size: 10_000)) }))
    rig.source.holdUp()
    try await rig.opened { library in
      let digests = try await withThrowingTaskGroup(of: (Int, ModuleDigest).self) { group in
        for index in 0..<200 {
          group.addTask {
            let request = ModuleRequest(plugin: "p\(index)", url: urls[index % 20])
            return (index, try await library.module(for: request).digest)
          }
        }
        await rig.events.wait { misses($0) == 200 }
        rig.source.goOn()
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      #expect(
        digests
          == Dictionary(
            uniqueKeysWithValues: (0..<200).map { ($0, .of(wasm($0 % 20, size: 10_000))) }))
      for index in 0..<200 { #expect(library.lastGood(of: "p\(index)") != nil) }
    }
    #expect(rig.source.downloads == 20)
    try rig.expectWhole()
    #expect(rig.stored.count == 20)
    let fetched = rig.events.elements.compactMap { event in
      if case .fetched(let plugins, nil, _, _) = event { plugins } else { nil }
    }
    #expect(fetched.count == 20)
  }

  @Test func `whoever is cancelled leaves the others their download`() async throws {
    let url = "http://h/a.wasm"
    let rig = StoreRig([url: wasm(1)])
    rig.source.holdUp()
    try await rig.opened { library in
      try await withThrowingTaskGroup(of: Module.self) { group in
        let impatient = Task { try await library.module(for: request("a", url)) }
        await rig.events.wait { misses($0) == 1 }
        group.addTask { try await library.module(for: request("b", url)) }
        await rig.events.wait { misses($0) == 2 }
        impatient.cancel()
        let error = ModuleError(.fetchFailure, "the request for the module was cancelled")
        await #expect(throws: error) { try await impatient.value }
        rig.source.goOn()
        let module = try await group.next()
        #expect(module?.digest == .of(wasm(1)))
      }
    }
    #expect(rig.source.downloads == 1)
  }

  @Test func `a download that nobody waits for any more still fills the cache`() async throws {
    let url = "http://h/a.wasm"
    let rig = StoreRig([url: wasm(1)])
    rig.source.holdUp()
    try await rig.opened { library in
      let only = Task { try await library.module(for: request("a", url)) }
      await rig.source.writing.wait { $0.count == 1 }
      only.cancel()
      await #expect(throws: ModuleError.self) { try await only.value }
      rig.source.goOn()
      let module = try await library.module(for: request("b", url))
      #expect(module.digest == .of(wasm(1)))
      #expect(rig.source.downloads == 1)
    }
  }

  @Test func `a pull that is asked for later than one began asks anew`() async throws {
    let (url, image) = ("oci://r.io/a", "oci://r.io/a")
    let rig = StoreRig([image: wasm(1)])
    rig.source.holdUp()
    try await rig.opened { library in
      async let first = library.module(for: request("a", url))
      // The first is under way, and then the registry changes.
      await rig.source.writing.wait { $0.count == 1 }
      rig.source[image] = wasm(2)
      async let second = library.module(for: request("a", url, version: "2"))
      async let same = library.module(for: request("a", url))
      async let third = library.module(for: request("b", url, version: "2"))
      await rig.events.wait { misses($0) == 5 }
      rig.source.goOn()
      let digests = try await [first.digest, same.digest, second.digest, third.digest]
      #expect(digests == [.of(wasm(1)), .of(wasm(1)), .of(wasm(2)), .of(wasm(2))])
    }
    #expect(rig.source.resolves == 2)
  }

  @Test func `secrets that see the same image share its download`() async throws {
    let image = "oci://r.io/a"
    let rig = StoreRig([image: wasm(1)])
    rig.source.holdUp()
    try await rig.opened { library in
      let digests = try await withThrowingTaskGroup(of: ModuleDigest.self) { group in
        for index in 0..<10 {
          group.addTask {
            try await library.module(
              for: ModuleRequest(
                plugin: "p", url: "\(image):v1",
                pullSecret: PullSecret(#"{"auths":{"r\#(index)":{}}}"#))
            ).digest
          }
        }
        // Each of them asked the registry by its own right, and looked again.
        await rig.events.wait { misses($0) == 20 }
        rig.source.goOn()
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(digests == Array(repeating: .of(wasm(1)), count: 10))
    }
    #expect((rig.source.resolves, rig.source.downloads) == (10, 1))
  }

  /// Whoever waits for a download looks at once when it is over, from another thread.
  @Test func `a download that ends is found by those who waited for it, each time`() async throws {
    let rig = StoreRig()
    for number in 0..<120 { rig.source["oci://r.io/m\(number)"] = wasm(number) }
    try await rig.opened { library in
      for number in 0..<120 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for tag in ["v1", "v2", "v3"] {
            group.addTask {
              _ = try await library.module(for: request("p", "oci://r.io/m\(number):\(tag)"))
            }
          }
          try await group.waitForAll()
        }
      }
    }
    #expect(rig.source.downloads == 120)
  }

  @Test func `requests fail when the library has ended`() async throws {
    let url = "http://h/a.wasm"
    let rig = StoreRig([url: wasm(1)])
    let library = rig.open()
    try await rig.run(library) { _ in }
    await #expect(
      throws: ModuleError(.fetchFailure, "\(url) is not fetched: the agent is about to end")
    ) { try await library.module(for: request("a", url)) }
  }
}
