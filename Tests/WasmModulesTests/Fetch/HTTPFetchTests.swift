// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WasmModules

/// Modules behind http: what is retried, how long, and what is said in the end.
@Suite struct HTTPFetchTests {
  private static let module = TestModules.module(size: 200_000)

  private struct Trial {
    var text: String
    var requests: Int
    var waits: [Duration]
  }

  /// Fetches `/m.wasm` from a server that answers in turn.
  private func attempt(
    _ answers: [TestServer.Answer], expected: ModuleDigest? = nil,
    _ adjust: (inout RemoteModuleSource.Settings) -> Void = { _ in }
  ) async throws -> Trial {
    let server = try await TestServer.start(answers)
    var fixture = FetchFixture()
    adjust(&fixture.settings)
    let outcome = try await fixture.outcome(
      "http://127.0.0.1:\(server.port)/m.wasm", expected: expected)
    await server.stop()
    if case .success(let bytes) = outcome { #expect(bytes == Self.module) }
    let text = outcome.text.replacing("http://127.0.0.1:\(server.port)/m.wasm", with: "URL")
    return Trial(text: text, requests: server.requests.count, waits: fixture.clock.passed)
  }

  @Test(arguments: [
    Self.module, TestModules.gzip(Self.module), TestModules.zstd(Self.module),
    TestModules.gzip(TestModules.tar([("plugin.wasm", Self.module)])),
  ])
  func `a module arrives, whatever is around it`(_ body: [UInt8]) async throws {
    // Istio's digest is that of the module, not of its envelope.
    let trial = try await attempt([.ok(body)], expected: .of(Self.module))
    #expect(trial.text == "success")
    #expect(trial.requests == 1)
    let chunked = try await attempt([.chunked([Array(body[..<3]), Array(body[3...])])])
    #expect(chunked.text == "success")
  }

  @Test func `a server's failure is tried again with growing waits`() async throws {
    let trial = try await attempt([.status(500), .status(503), .close, .ok(Self.module)])
    #expect(trial.text == "success")
    #expect(trial.requests == 4)
    #expect(trial.waits == [.milliseconds(500), .milliseconds(750), .milliseconds(1125)])
  }

  @Test func `five attempts are enough`() async throws {
    let trial = try await attempt([.status(503)])
    #expect(trial.text == "download_failure: URL: status 503 Service Unavailable (5 attempts)")
    #expect(trial.requests == 5)
    #expect(trial.waits.count == 4)
  }

  @Test(arguments: [
    (404, "404 Not Found"), (403, "403 Forbidden"), (501, "501 Not Implemented"),
    (505, "505 HTTP Version Not Supported"), (511, "511 Network Authentication Required"),
    (204, "204 No Content"),
  ])
  func `a status that time does not mend is not tried again`(
    _ status: Int, _ text: String
  ) async throws {
    let trial = try await attempt([.status(status)])
    #expect(trial.text == "download_failure: URL: status \(text)")
    #expect(trial.requests == 1)
  }

  @Test func `a server that is too busy is left alone for as long as it says`() async throws {
    let busy = TestServer.Answer.respond(status: 429, headers: [("retry-after", "7")])
    let trial = try await attempt([busy, .status(408), .ok(Self.module)])
    #expect(trial.text == "success")
    #expect(trial.waits == [.seconds(7), .milliseconds(750)])
    let never = TestServer.Answer.respond(status: 429, headers: [("retry-after", "3600")])
    let refused = try await attempt([never])
    #expect(refused.text == "download_failure: URL: status 429 Too Many Requests")
    #expect(refused.requests == 1)
  }

  @Test func `a body that breaks off is tried again, from its start`() async throws {
    let trial = try await attempt([.truncated(Self.module, after: 100_000), .ok(Self.module)])
    #expect(trial.text == "success")
    #expect(trial.requests == 2)
    let always = try await attempt([.truncated(Self.module, after: 100_000)])
    #expect(always.text.hasPrefix("download_failure: URL: the body broke off after "))
    #expect(always.text.hasSuffix(" of 200000 bytes (5 attempts)"))
  }

  @Test func `a body above the limit is refused, not cut`() async throws {
    let limit = "the limit of 199999 bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)"
    let announced = try await attempt([.ok(Self.module)]) { $0.maximumSize = 199_999 }
    #expect(
      announced.text
        == "download_failure: URL: the body of 200000 bytes is larger than \(limit)")
    #expect(announced.requests == 1)
    let chunked = try await attempt([.chunked([Self.module])]) { $0.maximumSize = 199_999 }
    #expect(chunked.text.hasPrefix("download_failure: URL: the "))
    #expect(chunked.text.hasSuffix("is larger than \(limit)"))
    let packed = try await attempt([
      .ok(TestModules.gzip(Self.module + [UInt8](repeating: 0, count: 1 << 20)))
    ]) {
      $0.maximumSize = 300_000
    }
    #expect(
      packed.text
        == "download_failure: URL: the module is larger than the limit of 300000 bytes "
        + "(ISTIO_WASM_MAX_BINARY_SIZE_BYTES)")
    let gigabyte = try await attempt([.announced(1 << 30)])
    #expect(
      gigabyte.text
        == "download_failure: URL: the body of 1073741824 bytes is larger than the limit of "
        + "268435456 bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)")
  }

  @Test func `a page, zeros and another module are told apart`() async throws {
    let page = try await attempt([.ok(Array("<html>Sign in</html>".utf8))])
    #expect(
      page.text
        == "fetch_failure: URL: expected a Wasm module (00 61 73 6d), found an HTML page; "
        + "does the URL name a web page or a login instead of the file? (3c 68 74 6d)")
    #expect(page.requests == 1)
    let zeros = try await attempt([.ok([UInt8](repeating: 0, count: 100_000))])
    #expect(zeros.text.hasSuffix("found zero bytes (00 00 00 00)"))
    let expected = ModuleDigest.of([])
    let other = try await attempt([.ok(Self.module)], expected: expected)
    #expect(
      other.text
        == "checksum_mismatched: URL: expected \(expected), found \(ModuleDigest.of(Self.module))")
    #expect(other.requests == 1)
  }

  @Test func `a server that hangs is left after the attempt's time`() async throws {
    let server = try await TestServer.start([
      .hang, .stall(Self.module, after: 1000), .ok(Self.module),
    ])
    let fixture = FetchFixture()
    let url = "http://127.0.0.1:\(server.port)/"
    async let outcome = fixture.outcome(url)
    for _ in 0..<2 {
      _ = await server.nextRequest()
      await fixture.clock.expire(.seconds(15))
    }
    #expect(try await outcome.get() == Self.module)
    #expect(server.requests.count == 3)
    await server.stop()
  }

  @Test func `the round's time bounds all attempts`() async throws {
    let server = try await TestServer.start([.status(500), .hang])
    let fixture = FetchFixture()
    let url = "http://127.0.0.1:\(server.port)/"
    async let outcome = fixture.outcome(url)
    _ = await server.nextRequest()
    _ = await server.nextRequest()
    await fixture.clock.expire(.seconds(30))
    #expect(
      try await outcome.text
        == "download_failure: \(url): not complete within 30.0 seconds; "
        + "\(url): status 500 Internal Server Error")
    await server.stop()
  }

  @Test func `nobody listening is said, and tried again`() async throws {
    let server = try await TestServer.start([.hang])
    let port = server.port
    await server.stop()
    let fixture = FetchFixture()
    let text = try await fixture.outcome("http://127.0.0.1:\(port)/").text
    #expect(
      text
        == "download_failure: http://127.0.0.1:\(port)/: no connection to 127.0.0.1, port \(port): "
        + "Connection refused (5 attempts)")
    let unknown = try await fixture.outcome("http://nowhere.example/m.wasm").text
    #expect(
      unknown
        == "download_failure: http://nowhere.example/m.wasm: the host name nowhere.example could "
        + "not be looked up: not in the table (5 attempts)")
  }

  @Test func `the next address of a host is tried at once`() async throws {
    let server = try await TestServer.start([.ok(Self.module)])
    var fixture = FetchFixture()
    fixture.names["modules.example"] = [["127.0.0.9", "127.0.0.1"]]
    #expect(
      try await fixture.outcome("http://modules.example:\(server.port)/").get() == Self.module)
    #expect(fixture.clock.passed.isEmpty)
    await server.stop()
  }

  @Test func `a file is not fetched`() async throws {
    let text = try await FetchFixture().outcome("file:///a.wasm").text
    #expect(text == "fetch_failure: file:///a.wasm: a file is used where it is, it is not fetched")
  }

  @Test func `user and password of a URL are sent and never told`() async throws {
    let server = try await TestServer.start([.status(403)])
    let text = try await FetchFixture().outcome(
      "http://me:hush%21@127.0.0.1:\(server.port)/m?signature=hush"
    ).text
    #expect(
      text == "download_failure: http://127.0.0.1:\(server.port)/m?…: status 403 Forbidden")
    #expect(server.requests.first?.headers["authorization"] == "Basic bWU6aHVzaCE=")
    #expect(server.requests.first?.target == "/m?signature=hush")
    await server.stop()
  }

  @Test func `only so many attempts run at the same time, in the order of asking`() async throws {
    let server = try await TestServer.start { request in
      request.path.hasPrefix("/slow") ? .hang : .ok(Self.module)
    }
    var fixture = FetchFixture()
    fixture.settings.concurrentDownloads = 2
    let source = fixture.source
    let base = "http://127.0.0.1:\(server.port)"
    @Sendable func run(_ path: String) async throws -> [UInt8] {
      let sink = MemorySink()
      _ = try await source.download(
        try FetchFixture.fetch(base + path), resolved: nil, to: sink)
      return sink.bytes
    }
    let slow = [Task { try await run("/slow1") }, Task { try await run("/slow2") }]
    _ = await server.nextRequest()
    _ = await server.nextRequest()
    let quick = Task { try await run("/quick") }
    // Nothing of the third is seen while both places are taken.
    for _ in 0..<50 { await Task.yield() }
    #expect(server.requests.map(\.path).allSatisfy { $0.hasPrefix("/slow") })
    slow[0].cancel()
    #expect(try await quick.value == Self.module)
    slow[1].cancel()
    for task in slow {
      await #expect(throws: ModuleError.self) { try await task.value }
    }
    await server.stop()
  }

  @Test func `places are given in the order of asking, and not to who has gone`() async {
    let slots = FetchSlots(count: 1)
    #expect(await slots.acquire())
    let gone = Task { await slots.acquire() }
    gone.cancel()
    #expect(await !gone.value)
    let next = Task { await slots.acquire() }
    slots.release()
    #expect(await next.value)
    slots.release()
    #expect(await slots.acquire())
  }
}
