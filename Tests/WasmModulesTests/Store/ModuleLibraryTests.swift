// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WasmModules

/// What a library does with its directory, when all is well and when it is not.
@Suite struct ModuleLibraryTests {
  private let url = "http://h/a.wasm"

  private func request(_ plugin: String = "p", sha256: String? = nil) -> ModuleRequest {
    ModuleRequest(plugin: plugin, url: url, sha256: sha256)
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
  }

  @Test func `a module is fetched once and read by all`() async throws {
    let rig = StoreRig([url: wasm(1)])
    let first = try await rig.opened { library in
      #expect(library.cached(request()) == nil)
      let module = try await library.module(for: request())
      #expect(
        module
          == Module(path: rig.path(wasm(1)), digest: .of(wasm(1)), checksum: .of(wasm(1))))
      #expect(library.cached(request("q")) == module)
      #expect(
        library.holdings() == [
          ModuleLibrary.Holding(
            path: module.path, bytes: wasm(1).count, lastUse: 1_000_000, isChecked: true, users: [],
            plugins: ["p", "q"])
        ])
      return module
    }
    #expect(rig.files == ["index.json", "modules", "modules/\(first.digest.hex).wasm"])
    #expect(try mode(rig.directory) == 0o755)
    #expect(try mode(rig.directory + "/modules") == 0o755)
    #expect(try mode(first.path) == 0o644)
    #expect(try mode(rig.directory + "/index.json") == 0o600)
    try await rig.opened { library in
      let again = try await library.module(for: request())
      #expect(again == first)
      #expect(library.lastGood(of: "q") == first)
    }
    #expect(rig.source.downloads == 1)
    let size = wasm(1).count
    #expect(
      rig.events.elements.filter { if case .holds = $0 { false } else { true } } == [
        .lookup(isHit: false),
        .fetched(plugins: ["p"], failure: nil, bytes: size, duration: .zero),
        .lookup(isHit: true), .lookup(isHit: true),
      ])
    #expect(rig.events.elements.contains(.holds(entries: 1, bytes: size)))
    #expect(rig.warnings.elements == [])
  }

  @Test(arguments: ["http://h/a.wasm", "oci://r.io/a"])
  func `what is not as asked for is not stored`(url: String) async throws {
    let rig = StoreRig([url: wasm(1)])
    let wrong = ModuleDigest.of([]).hex
    let found = url.hasPrefix("oci") ? ScriptedSource.manifest(wasm(1)) : .of(wasm(1))
    try await rig.opened { library in
      let error = await #expect(throws: ModuleError.self) {
        try await library.module(for: ModuleRequest(plugin: "p", url: url, sha256: wrong))
      }
      let name = url.hasPrefix("oci") ? "\(url):latest" : url
      #expect(
        error
          == ModuleError(
            .checksumMismatched, "\(name): expected sha256:\(wrong), found \(found)"))
      #expect(library.lastGood(of: "p") == nil)
    }
    #expect(rig.stored == [])
    try rig.expectWhole()
    #expect(
      rig.events.elements.contains(
        .fetched(plugins: ["p"], failure: .checksumMismatched, bytes: 0, duration: .zero)))
  }

  @Test func `a download that fails leaves nothing`() async throws {
    let rig = StoreRig([url: wasm(1)])
    rig.source.fail(url, ModuleError(.downloadFailure, "down"))
    try await rig.opened { library in
      await #expect(throws: ModuleError(.downloadFailure, "down")) {
        try await library.module(for: request())
      }
    }
    #expect(rig.files == ["index.json", "modules"] || rig.files == ["modules"])
  }

  @Test(arguments: [
    (ENOSPC, "No space left on device; free space, or lower the size limit of the module cache"),
    (EROFS, "Read-only file system; the agent's data directory must be writable"),
    (EIO, "Input/output error"),
  ])
  func `a disk that refuses is an error that says so, and heals`(
    code: Int32, text: String
  ) async throws {
    let steps: [StoreStep] = [
      .createModule, .writeModule, .syncModule, .renameModule, .syncModules,
    ]
    for step in steps {
      let rig = StoreRig([url: wasm(1)])
      let isFull = Log<Bool>()
      try await rig.opened(onStep: { isFull.elements.isEmpty && $0 == step ? code : nil }) {
        library in
        let error = await #expect(throws: ModuleError.self) {
          try await library.module(for: request())
        }
        #expect(error?.kind == .fetchFailure)
        #expect(error?.isRetryable == true)
        #expect(
          error?.reason.hasPrefix("cannot store the module of \(url): \(rig.directory)") == true)
        #expect(error?.reason.hasSuffix(text) == true)
        try rig.expectWhole(isOpen: true)
        isFull.append(false)
        #expect(try await library.module(for: request()).digest == .of(wasm(1)))
      }
      try rig.expectWhole()
    }
  }

  @Test func `a directory that cannot be made does not keep a library from starting`() async throws
  {
    let rig = StoreRig([url: wasm(1)])
    try rig.write([], to: rig.directory)
    let library = rig.open()
    try await rig.run(library) { library in
      await #expect(throws: ModuleError.self) { try await library.module(for: request()) }
      try FileManager.default.removeItem(atPath: rig.directory)
      #expect(try await library.module(for: request()).digest == .of(wasm(1)))
    }
    #expect(rig.warnings.elements.first == "cannot prepare the module cache")
  }

  @Test func `an index that cannot be saved does not keep a module from being used`() async throws {
    let rig = StoreRig([url: wasm(1)])
    try await rig.opened(onStep: { $0 == .syncIndex ? ENOSPC : nil }) { library in
      let module = try await library.module(for: request())
      #expect(library.cached(request()) == module)
    }
    #expect(rig.files == ["modules", "modules/\(ModuleDigest.of(wasm(1)).hex).wasm"])
    #expect(
      Set(rig.warnings.elements) == [
        "cannot save the index of the module cache; modules may be fetched again after a restart"
      ])
  }

  @Test(arguments: [
    "", "{", "[]", #"{"version":2,"salt":""}"#, #"{"version":1,"salt":"","held":[1]}"#,
  ])
  func `an index that cannot be read is made anew`(text: String) async throws {
    let rig = StoreRig([url: wasm(1)])
    _ = try await rig.opened { try await $0.module(for: request()) }
    try rig.write(Array(text.utf8), to: rig.directory + "/index.json")
    try await rig.opened { library in
      await rig.scrubbed(library)
      #expect(library.cached(request()) == nil)
      // The bytes are known by their digest.
      #expect(library.cached(request(sha256: ModuleDigest.of(wasm(1)).hex)) != nil)
      let module = try await library.module(for: request())
      #expect(module.digest == .of(wasm(1)))
    }
    #expect(
      rig.warnings.elements == ["the index of the module cache cannot be read and is made anew"])
    let module = try await rig.opened { try await $0.module(for: request()) }
    #expect(module.digest == .of(wasm(1)))
    #expect(rig.source.downloads == 2)
  }

  @Test func `opening removes what is left over and forgets what is gone`() async throws {
    let rig = StoreRig([url: wasm(1), "http://h/b": wasm(2)])
    try await rig.opened { library in
      _ = try await library.module(for: request())
      _ = try await library.module(for: ModuleRequest(plugin: "q", url: "http://h/b"))
    }
    try rig.write([1], to: rig.directory + "/modules/.incoming-1-1")
    try rig.write([1], to: rig.directory + "/.index-1")
    try FileManager.default.removeItem(atPath: rig.path(wasm(1)))
    try rig.write(wasm(3), to: rig.path(wasm(2)))
    let library = rig.open()
    #expect(rig.files == ["index.json", "modules", "modules/\(ModuleDigest.of(wasm(2)).hex).wasm"])
    // Nothing is served before it was checked.
    #expect(library.lastGood(of: "q") == nil)
    try await rig.run(library) { library in
      await rig.scrubbed(library)
      #expect(rig.stored == [])
      #expect(library.holdings() == [])
      #expect(library.lastGood(of: "p") == nil)
      #expect(library.lastGood(of: "q") == nil)
      let module = try await library.module(for: request())
      #expect(module.digest == .of(wasm(1)))
    }
    #expect(rig.warnings.elements == ["a module on disk is corrupt and is not used"])
  }

  @Test func `a file that vanished or changed is fetched anew`() async throws {
    let rig = StoreRig([url: wasm(1)])
    try await rig.opened { library in
      let module = try await library.module(for: request())
      try FileManager.default.removeItem(atPath: module.path)
      #expect(library.cached(request()) == nil)
      #expect(try await library.module(for: request()) == module)
      try rig.write(wasm(7), to: module.path)
      #expect(library.cached(request()) == nil)
      #expect(library.lastGood(of: "p") == nil)
      #expect(try await library.module(for: request()) == module)
      try rig.expectWhole(isOpen: true)
      // In use it is replaced, not removed, so that there is no gap.
      library.setInUse([module.path], by: "envoy")
      try rig.write(wasm(8), to: module.path)
      rig.source.fail(url, ModuleError(.downloadFailure, "down"))
      await #expect(throws: ModuleError.self) { try await library.module(for: request()) }
      #expect(FileManager.default.fileExists(atPath: module.path))
      rig.source.fail(url, nil)
      #expect(try await library.module(for: request()) == module)
      try rig.expectWhole(isOpen: true)
      // A whole directory that is gone is made again.
      try FileManager.default.removeItem(atPath: rig.directory)
      #expect(try await library.module(for: request()) == module)
      // Touched, but the same: checked again, not fetched.
      try rig.write(wasm(1), to: module.path)
      #expect(library.cached(request()) == nil)
      #expect(try await library.module(for: request()) == module)
      #expect(library.cached(request()) == module)
    }
    // One of them failed.
    #expect(rig.source.downloads == 6)
    #expect(rig.warnings.elements.count == 2)
  }

  @Test func `the last good module is there when a fetch fails right after a restart`() async throws
  {
    let rig = StoreRig([url: wasm(1)])
    let module = try await rig.opened { try await $0.module(for: request()) }
    rig.source.fail("http://h/b", ModuleError(.downloadFailure, "down"))
    let library = rig.open()
    try await rig.run(library) { library in
      await #expect(throws: ModuleError(.downloadFailure, "down")) {
        try await library.module(for: ModuleRequest(plugin: "p", url: "http://h/b"))
      }
      #expect(library.lastGood(of: "p") == module)
      #expect(library.lastGood(of: "q") == nil)
    }
  }

  @Test func `a local file is taken if it is a module`() async throws {
    let rig = StoreRig()
    let file = NSTemporaryDirectory() + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: file) }
    func request(_ sha256: String? = nil) -> ModuleRequest {
      ModuleRequest(plugin: "p", url: "file://\(file)", sha256: sha256)
    }
    try await rig.opened { library in
      await #expect(
        throws: ModuleError(
          .downloadFailure, "cannot read the module: \(file): No such file or directory")
      ) { try await library.module(for: request()) }
      for text in ["", "root:x:0:0", "\0asm"] {
        try rig.write(Array(text.utf8), to: file)
        let error = await #expect(throws: ModuleError.self) {
          try await library.module(for: request())
        }
        #expect(error?.reason.hasPrefix("file://\(file) is not a Wasm module") == true)
      }
      #expect(rig.stored == [])
      try rig.write(wasm(1, size: 600_000), to: file)
      await #expect(throws: ModuleError.self) {
        try await library.module(for: request(ModuleDigest.of([]).hex))
      }
      #expect(rig.stored == [])
      let module = try await library.module(for: request())
      #expect(module.digest == .of(wasm(1, size: 600_000)))
      #expect(library.cached(request(module.digest.hex)) == module)
    }
    try rig.expectWhole()
  }
}
