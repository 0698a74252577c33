// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WasmModules

/// Which requests what is on disk may answer.
@Suite struct PullPolicyTests {
  private func request(
    _ url: String, _ policy: ModulePullPolicy = .unspecified, version: String = "1",
    plugin: String = "p", sha256: String? = nil, secret: String? = nil
  ) -> ModuleRequest {
    ModuleRequest(
      plugin: plugin, url: url, sha256: sha256, pullPolicy: policy, resourceVersion: version,
      pullSecret: secret.map { PullSecret($0) })
  }

  @Test(arguments: [
    ("http://h/a.wasm", ModulePullPolicy.unspecified, false),
    ("http://h/latest", .unspecified, false),
    ("http://h/a.wasm", .ifNotPresent, false),
    ("http://h/a.wasm", .always, true),
    ("oci://r.io/a:v1", .unspecified, false),
    ("oci://r.io/a:v1", .always, true),
    ("oci://r.io/a:latest", .unspecified, true),
    ("oci://r.io/a:latest", .ifNotPresent, false),
    ("oci://r.io/a", .unspecified, true),
    ("r.io/a", .unspecified, true),
    ("r.io/a", .ifNotPresent, false),
    ("oci://r.io:5000/a", .unspecified, true),
  ])
  func `a new resource version pulls again by policy`(
    url: String, policy: ModulePullPolicy, pulls: Bool
  ) async throws {
    let key =
      url.hasPrefix("http") ? url : "oci://\(url.contains(":5000") ? "r.io:5000" : "r.io")/a"
    let rig = StoreRig([key: wasm(1)])
    try await rig.opened { library in
      let first = try await library.module(for: request(url, policy))
      #expect(library.cached(request(url, policy)) == first)
      #expect((library.cached(request(url, policy, version: "2")) == nil) == pulls)
      rig.source[key] = wasm(2)
      let second = try await library.module(for: request(url, policy, version: "2"))
      #expect(second.digest == .of(wasm(pulls ? 2 : 1)))
    }
  }

  @Test func `a digest leaves nothing to the policy`() async throws {
    let (url, image) = ("http://h/a.wasm", "oci://r.io/a")
    let rig = StoreRig([url: wasm(1), image: wasm(2)])
    let pinned = "r.io/a:latest@\(ScriptedSource.manifest(wasm(2)))"
    try await rig.opened { library in
      let hex = ModuleDigest.of(wasm(1)).hex
      _ = try await library.module(for: request(url, .always, sha256: hex))
      let second = try await library.module(for: request(pinned, .always))
      #expect(second.checksum == ScriptedSource.manifest(wasm(2)))
      #expect(second.digest == .of(wasm(2)))
      for secret in [nil, "{}", #"{"auths":{}}"#] {
        #expect(library.cached(request(pinned, .always, version: "9", secret: secret)) == second)
      }
      // http bytes are what their digest says, whoever served them.
      let moved = request("https://mirror/b", .always, version: "9", sha256: hex.uppercased())
      #expect(library.cached(moved)?.digest == .of(wasm(1)))
      // A manifest's digest names no file, and the key has the name of the image.
      #expect(library.cached(request("oci://r.io/b", sha256: hex)) == nil)
      #expect(
        library.cached(request("oci://r.io/b", sha256: ScriptedSource.manifest(wasm(2)).hex)) == nil
      )
    }
    #expect(rig.source.downloads == 2)
  }

  @Test func `a pull that failed is made again for the same resource version`() async throws {
    let (url, image) = ("oci://r.io/a:latest", "oci://r.io/a")
    let rig = StoreRig([image: wasm(1)])
    try await rig.opened { library in
      let first = try await library.module(for: request(url))
      rig.source[image] = wasm(2)
      rig.source.fail(image, ModuleError(.manifestFailure, "down"))
      for _ in 1...2 {
        await #expect(throws: ModuleError(.manifestFailure, "down")) {
          try await library.module(for: request(url, version: "2"))
        }
        #expect(library.cached(request(url, version: "2")) == nil)
      }
      #expect(library.lastGood(of: "p") == first)
      rig.source.fail(image, nil)
      #expect(try await library.module(for: request(url, version: "2")).digest == .of(wasm(2)))
    }
  }

  @Test func `a plugin keeps what it pulled though another pulled something newer`() async throws {
    let (url, image) = ("oci://r.io/a:latest", "oci://r.io/a")
    let rig = StoreRig([image: wasm(1)])
    try await rig.opened { library in
      let old = try await library.module(for: request(url, plugin: "a"))
      rig.source[image] = wasm(2)
      let new = try await library.module(for: request(url, plugin: "b"))
      #expect(library.cached(request(url, plugin: "a")) == old)
      #expect(library.cached(request(url, plugin: "b")) == new)
      #expect(library.cached(request(url, .ifNotPresent, plugin: "c")) == new)
    }
  }

  @Test func `a manifest that is known costs no download`() async throws {
    let (url, image) = ("oci://r.io/a:latest", "oci://r.io/a")
    let rig = StoreRig([image: wasm(1)])
    try await rig.opened { library in
      let first = try await library.module(for: request(url))
      #expect(try await library.module(for: request(url, version: "2")) == first)
      #expect(try await library.module(for: request("r.io/a:v1")) == first)
    }
    #expect((rig.source.resolves, rig.source.downloads) == (3, 1))
    #expect(
      rig.events.elements.filter { if case .lookup = $0 { true } else { false } } == [
        .lookup(isHit: false), .lookup(isHit: false),
        .lookup(isHit: false), .lookup(isHit: true),
        .lookup(isHit: false), .lookup(isHit: true),
      ])
  }

  @Test func `what one secret was shown, another must ask for itself`() async throws {
    let (url, image) = ("oci://r.io/a:v1", "oci://r.io/a")
    let secret = #"{"auths":{"r.io":{"auth":"dTpw"}}}"#
    let rig = StoreRig([image: wasm(1)])
    try rig.source.protect(image, with: secret)
    try await rig.opened { library in
      let first = try await library.module(for: request(url, secret: secret))
      for other in [nil, "{}"] {
        #expect(library.cached(request(url, plugin: "q", secret: other)) == nil)
        await #expect(throws: ModuleError(.manifestFailure, "\(image): 401")) {
          try await library.module(for: request(url, plugin: "q", secret: other))
        }
      }
      #expect(library.cached(request(url, plugin: "r", secret: secret)) == first)
      let another = secret.replacing(":{\"a", with: ": {\"a")
      #expect(library.cached(request(url, plugin: "s", secret: another)) == nil)
      #expect(try await library.module(for: request(url, plugin: "s", secret: another)) == first)
    }
    #expect(rig.source.downloads == 1)
    try await rig.opened { library in
      await rig.scrubbed(library)
      #expect(library.cached(request(url, plugin: "r", secret: secret)) != nil)
      #expect(library.cached(request(url, plugin: "q")) == nil)
    }
    let index = try String(contentsOfFile: rig.directory + "/index.json", encoding: .utf8)
    #expect(!index.contains("dTpw"))
    #expect("\(request(url, secret: secret))".contains("<redacted>"))
    #expect(!"\(request(url, secret: secret))".contains("dTpw"))
  }

  @Test func `a pull that nobody gave a version is repeated by the next process`() async throws {
    let (url, image) = ("oci://r.io/a:latest", "oci://r.io/a")
    let rig = StoreRig([image: wasm(1)])
    try await rig.opened { library in
      for version in ["", "7"] {
        let request = request(url, version: version, plugin: "v\(version)")
        _ = try await library.module(for: request)
        #expect(library.cached(request) != nil)
      }
    }
    try await rig.opened { library in
      await rig.scrubbed(library)
      #expect(library.cached(request(url, version: "", plugin: "v")) == nil)
      #expect(library.cached(request(url, version: "7", plugin: "v7")) != nil)
      #expect(library.lastGood(of: "v") != nil)
    }
  }

  @Test func `a request that cannot be read says why`() async throws {
    let rig = StoreRig()
    try await rig.opened { library in
      let bad = request("http://user:word@h/a?token=x", sha256: "12")
      let error = await #expect(throws: ModuleError.self) { try await library.module(for: bad) }
      #expect(
        error
          == ModuleError(.fetchFailure, "the sha256 of http://h/a?… is not 64 hexadecimal digits"))
      #expect(library.cached(bad) == nil)
      await #expect(throws: ModuleError.self) {
        try await library.module(for: request("ftp://h/a"))
      }
    }
  }
}
