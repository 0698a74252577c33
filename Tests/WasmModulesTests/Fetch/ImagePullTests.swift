// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WasmModules

/// Images in a registry: layouts, digests, indexes, mirrors.
@Suite struct ImagePullTests {
  private static let module = TestModules.module()
  private static let layer = TestModules.gzip(TestModules.tar([("plugin.wasm", module)]))
  private static let solo = "application/vnd.module.wasm.content.layer.v1+wasm"

  private struct Trial {
    var text: String
    var requests: [String]
  }

  private func pull(
    _ registry: TestRegistry, reference: String = "", expected: ModuleDigest? = nil,
    _ adjust: (inout RemoteModuleSource.Settings) -> Void = { _ in }
  ) async throws -> Trial {
    let server = try await TestServer.start { registry.answer($0) }
    var fixture = FetchFixture()
    adjust(&fixture.settings)
    let image = "127.0.0.1:\(server.port)/\(registry.repository)"
    let outcome = try await fixture.outcome("oci://\(image)\(reference)", expected: expected)
    await server.stop()
    if case .success(let bytes) = outcome { #expect(bytes == Self.module) }
    return Trial(
      text: outcome.text.replacing("oci://\(image)", with: "IMAGE")
        .replacing("http://127.0.0.1:\(server.port)", with: "REGISTRY"),
      requests: server.requests.map { "\($0.method) \($0.target)" })
  }

  private static let other = Array("not a module".utf8)
  private static let layouts: [(String, [(String, [UInt8])], String)] = [
    (
      "docker", [("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
      TestRegistry.dockerManifest
    ),
    (
      "docker, last of two",
      [
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", other),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", layer),
      ], TestRegistry.dockerManifest
    ),
    (
      "oci compat", [("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
      TestRegistry.ociManifest
    ),
    (
      "oci zstd layer",
      [
        (
          "application/vnd.oci.image.layer.v1.tar+zstd",
          TestModules.zstd(TestModules.tar([("x/plugin.wasm", module)]))
        )
      ], TestRegistry.ociManifest
    ),
    (
      "artifact of two layers",
      [("application/vnd.module.wasm.config.v1+json", other), (solo, module)],
      TestRegistry.ociManifest
    ),
    ("artifact of one layer", [(solo, module)], TestRegistry.ociManifest),
    (
      "artifact of three layers",
      [("text/markdown README.md", other), (solo, module), ("application/json", other)],
      TestRegistry.ociManifest
    ),
    (
      "artifact with an archive behind",
      [(solo, module), ("application/vnd.oci.image.layer.v1.tar+gzip", other)],
      TestRegistry.ociManifest
    ),
    ("cncf artifact", [("application/wasm", module)], TestRegistry.ociManifest),
    (
      "by title", [("text/plain README.md", other), ("application/octet-stream f.wasm", module)],
      TestRegistry.ociManifest
    ),
    ("the only layer", [("application/octet-stream", module)], TestRegistry.ociManifest),
    (
      "two modules, one named plugin.wasm",
      [("application/wasm a.wasm", other), ("application/wasm plugin.wasm", module)],
      TestRegistry.ociManifest
    ),
  ]

  @Test(arguments: layouts.indices)
  func `a module is found in every layout`(_ index: Int) async throws {
    let (name, layers, mediaType) = Self.layouts[index]
    var registry = TestRegistry()
    let digest = registry.push(layers, mediaType: mediaType)
    let trial = try await pull(registry, expected: digest)
    #expect(trial.text == "success", "\(name)")
    #expect(trial.requests.count == 2)
    #expect(trial.requests.first == "GET /v2/team/filter/manifests/latest")
  }

  @Test func `an image without a module says what it holds`() async throws {
    var registry = TestRegistry()
    registry.push([("application/wasm", Self.module), ("application/wasm", Self.other)])
    let two = try await pull(registry)
    #expect(
      two.text
        == "manifest_failure: IMAGE:latest: expected one layer to be the Wasm module "
        + "(application/wasm), or a last layer with plugin.wasm; "
        + "found application/wasm, application/wasm")
    registry.push([])
    #expect(try await pull(registry).text.hasSuffix("found no layers"))
    let archive = TestModules.gzip(
      TestModules.tar([("bin/sh", Self.other), ("a.wasm", Self.module)]))
    registry.push([("application/vnd.oci.image.layer.v1.tar+gzip", archive)])
    #expect(
      try await pull(registry).text
        == "fetch_failure: IMAGE:latest: the tar archive holds no plugin.wasm, only bin/sh, a.wasm")
    registry.push([("application/wasm", Self.other)])
    #expect(
      try await pull(registry).text
        == "fetch_failure: IMAGE:latest: expected a Wasm module (00 61 73 6d), "
        + "found text (6e 6f 74 20)")
    _ = registry.add("{\"schemaVersion\":1}", tag: "latest")
    #expect(
      try await pull(registry).text
        == "manifest_failure: IMAGE:latest: expected a manifest of schema version 2; "
        + "push the image again")
  }

  @Test func `the manifest's digest is what is verified, and that of its index`() async throws {
    var registry = TestRegistry()
    let arm = registry.push([("application/wasm", Self.other)], tag: nil)
    let amd = registry.push([("application/wasm", Self.module)], tag: nil)
    let index = registry.pushIndex([("linux/arm64", arm), ("linux/amd64", amd)])
    for expected in [nil, amd, index] {
      let trial = try await pull(registry, expected: expected)
      #expect(trial.text == "success")
      #expect(trial.requests.count == 3)
    }
    #expect(try await pull(registry, reference: "@\(index)", expected: amd).text == "success")
    #expect(try await pull(registry, reference: "@\(amd)").text == "success")
    let wrong = try await pull(registry, expected: arm)
    #expect(
      wrong.text
        == "checksum_mismatched: IMAGE:latest: expected \(arm), found \(amd) (image index \(index))"
    )
    #expect(wrong.requests.count == 2)
  }

  @Test(arguments: [
    ["wasi/wasm"], ["linux/s390x", "wasi/wasm"], ["linux/s390x"], [""], ["linux/s390x", ""],
    ["unknown/unknown", "linux/amd64"],
  ])
  func `an index is understood without this platform`(_ platforms: [String]) async throws {
    var registry = TestRegistry()
    let module = registry.push([("application/wasm", Self.module)], tag: nil)
    let other = registry.push([("application/wasm", Self.other)], tag: nil)
    let last = platforms.count - 1
    _ = registry.pushIndex(platforms.enumerated().map { ($1, $0 == last ? module : other) })
    #expect(try await pull(registry).text == "success")
  }

  @Test func `an index of strangers is refused`() async throws {
    var registry = TestRegistry()
    let other = registry.push([("application/wasm", Self.other)], tag: nil)
    _ = registry.pushIndex([("linux/s390x", other), ("windows/amd64", other)])
    #expect(
      try await pull(registry).text.hasSuffix(
        "the image index has no linux/amd64 and no wasi/wasm, only linux/s390x, windows/amd64"))
  }

  @Test func `a registry that sends other bytes is not believed`() async throws {
    var registry = TestRegistry()
    let digest = registry.push([("application/wasm", Self.module)])
    var forged = registry
    forged.content["team/filter/manifests/\(digest)"] = Array("{}".utf8)
    let manifest = try await pull(forged, reference: "@\(digest)")
    #expect(
      manifest.text.hasPrefix(
        "manifest_failure: IMAGE@\(digest): the registry sent a manifest of another digest, "))
    #expect(manifest.text.hasSuffix("(5 attempts)"))
    forged = registry
    let blob = ModuleDigest.of(Self.module)
    forged.content["team/filter/blobs/\(blob)"] = TestModules.module(size: 301)
    let layer = try await pull(forged)
    #expect(
      layer.text.hasPrefix(
        "download_failure: IMAGE:latest: expected layer \(blob) of 300 bytes, found "))
    #expect(layer.text.hasSuffix(" of 301 (5 attempts)"))
  }

  @Test func `what is not there is said with a remedy`() async throws {
    let trial = try await pull(TestRegistry(), reference: ":1.2")
    #expect(
      trial.text
        == "manifest_failure: REGISTRY/v2/team/filter/manifests/1.2: status 404 Not Found; "
        + "is the image pushed, and its name right?")
    #expect(trial.requests.count == 1)
  }

  @Test func `a layer above the limit is refused before it is asked for`() async throws {
    var registry = TestRegistry()
    registry.push([("application/wasm", Self.module)])
    let trial = try await pull(registry) { $0.maximumSize = 299 }
    #expect(
      trial.text
        == "download_failure: IMAGE:latest: its layer of 300 bytes is larger than the limit of "
        + "299 bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)")
    #expect(trial.requests.count == 1)
  }

  @Test func `a registry that fails is asked again`() async throws {
    var registry = TestRegistry()
    registry.push([("application/wasm", Self.module)])
    let held = registry
    let failures = TestBox(3)
    let server = try await TestServer.start { request in
      let fails = failures.withLock { left in
        left -= 1
        return left >= 0
      }
      return fails ? .status(503) : held.answer(request)
    }
    let fixture = FetchFixture()
    let outcome = try await fixture.outcome("oci://127.0.0.1:\(server.port)/team/filter")
    #expect(try outcome.get() == Self.module)
    #expect(fixture.clock.passed.count == 3)
    await server.stop()
  }

  @Test func `a layer that does not come is given up and asked for again`() async throws {
    var registry = TestRegistry()
    registry.push([("application/wasm", Self.module)])
    let held = registry
    let blobs = TestBox(0)
    let server = try await TestServer.start { request in
      guard request.path.contains("/blobs/") else { return held.answer(request) }
      let isFirst = blobs.withLock { count in
        count += 1
        return count == 1
      }
      return isFirst ? .hang : held.answer(request)
    }
    let fixture = FetchFixture()
    let image = "oci://127.0.0.1:\(server.port)/team/filter"
    async let outcome = fixture.outcome(image)
    while let request = await server.nextRequest(), !request.path.contains("/blobs/") {}
    await fixture.clock.expire(.seconds(15))
    #expect(try await outcome.get() == Self.module)
    #expect(server.requests.count == 4)
    await server.stop()
  }

  @Test func `a slow layer is not given up while something comes`() {
    let progress = BlobProgress()
    #expect(progress.isStalled())
    progress.add(1)
    #expect(!progress.isStalled())
    #expect(progress.isStalled())
    progress.add(1)
    #expect(!progress.isStalled())
    #expect(progress.count == 2)
  }

  @Test func `a digest is resolved without the layers, and downloaded by it`() async throws {
    var registry = TestRegistry()
    let digest = registry.push([("application/wasm", Self.module)])
    let held = TestBox(registry)
    let server = try await TestServer.start { request in held.withLock { $0 }.answer(request) }
    let source = FetchFixture().source
    let image = "oci://127.0.0.1:\(server.port)/team/filter"
    let fetch = try FetchFixture.fetch(image)
    #expect(try await source.resolve(fetch) == digest)
    #expect(server.requests.count == 1)
    // The tag moves on; what was resolved is what comes.
    held.withLock { _ = $0.push([("application/wasm", Self.other)]) }
    let sink = MemorySink()
    #expect(try await source.download(fetch, resolved: digest, to: sink) == digest)
    #expect(sink.bytes == Self.module)
    let pinned = try FetchFixture.fetch("\(image)@\(digest)")
    #expect(try await source.resolve(pinned) == digest)
    #expect(server.requests.count == 3)
    await #expect(throws: ModuleError.self) {
      try await source.resolve(try FetchFixture.fetch(image, expected: digest))
    }
    #expect(
      try await source.resolve(try FetchFixture.fetch("http://127.0.0.1:1/m.wasm")) == nil)
    await server.stop()
  }

  @Test func `mirrors are asked first, and the registry if they fail`() async throws {
    var registry = TestRegistry()
    let digest = registry.push([("application/wasm", Self.module)])
    let held = registry
    var copy = TestRegistry()
    copy.repository = "cache/team/filter"
    copy.push([("application/wasm", Self.module)])
    let mirrored = copy
    let mirror = try await TestServer.start { mirrored.answer($0) }
    let origin = try await TestServer.start { held.answer($0) }
    var fixture = FetchFixture()
    let image = "127.0.0.1:\(origin.port)/team/filter"
    fixture.settings.mirrors = [
      "127.0.0.1:\(origin.port)": ["http://127.0.0.1:\(mirror.port)/cache"]
    ]
    #expect(try await fixture.outcome(image, expected: digest).get() == Self.module)
    #expect(origin.requests.isEmpty)
    #expect(mirror.requests.first?.path == "/v2/cache/team/filter/manifests/latest")
    await mirror.stop()
    #expect(try await fixture.outcome(image).get() == Self.module)
    #expect(origin.requests.count == 2)
    await origin.stop()
    fixture.settings.attempts = 1
    let text = try await fixture.outcome(image).text
    #expect(text.contains("; mirror: http://127.0.0.1:\(mirror.port)/v2/cache/"))
  }
}
