// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import WasmModules

/// Logins, tokens, TLS and plain http of registries.
@Suite struct RegistryAccessTests {
  private static let module = TestModules.module()

  private static func registry(_ access: TestRegistry.Access = .everybody) -> TestRegistry {
    var registry = TestRegistry()
    registry.access = access
    registry.push([("application/wasm", module)])
    return registry
  }

  private static func config(_ host: String, _ entry: String) -> String {
    "{\"auths\":{\"\(host)\":{\(entry)}}}"
  }

  private static let me = "\"username\":\"me\",\"password\":\"hush\""

  @Test func `basic credentials are sent when they are asked for`() async throws {
    let registry = Self.registry(.basic("me:hush"))
    let server = try await TestServer.start { registry.answer($0) }
    let host = "127.0.0.1:\(server.port)"
    let fixture = FetchFixture()
    let good = try await fixture.outcome(
      "oci://\(host)/team/filter", credentials: Self.config(host, Self.me))
    #expect(try good.get() == Self.module)
    #expect(server.requests.first?.headers["authorization"] == nil)
    let url = "http://\(host)/v2/team/filter/manifests/latest: status 401 Unauthorized"
    #expect(
      try await fixture.outcome("oci://\(host)/team/filter").text
        == "manifest_failure: \(url); the registry wants credentials and there is no pull secret "
        + "for \(host)")
    #expect(
      try await fixture.outcome(
        "oci://\(host)/team/filter", credentials: Self.config(host, "\"auth\":\"bWU6eA==\"")
      ).text
        == "manifest_failure: \(url); the registry refuses the credentials of the pull secret "
        + "for \(host)")
    await server.stop()
  }

  @Test func `the docker configuration is used when there is no pull secret`() async throws {
    let registry = Self.registry(.basic("me:hush"))
    let server = try await TestServer.start { registry.answer($0) }
    let host = "127.0.0.1:\(server.port)"
    let file = FileManager.default.temporaryDirectory.appending(
      path: "skiff-docker-\(UUID().uuidString).json")
    try Self.config(host, Self.me).write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    var fixture = FetchFixture()
    fixture.settings.dockerConfigPath = file.path
    #expect(try await fixture.outcome("oci://\(host)/team/filter").get() == Self.module)
    await server.stop()
  }

  /// A registry with a token server at `/token` of the same port, which is only known later.
  private func tokenServer(
    login: String?, lifetime: Int = 300
  ) async throws -> (server: TestServer, host: String) {
    let port = TestBox(0)
    let server = try await TestServer.start { request in
      let realm = "http://127.0.0.1:\(port.withLock { $0 })/token?x=1"
      let registry = Self.registry(.token(realm: realm, login: login))
      return request.path == "/token"
        ? registry.tokenAnswer(request, lifetime: lifetime) : registry.answer(request)
    }
    port.withLock { $0 = server.port }
    return (server, "127.0.0.1:\(server.port)")
  }

  @Test func `a token is had once for a login and used until it expires`() async throws {
    let (server, host) = try await tokenServer(login: "me:hush")
    let fixture = FetchFixture()
    let source = fixture.source
    let fetch = try FetchFixture.fetch(
      "oci://\(host)/team/filter", credentials: Self.config(host, Self.me))
    let manifest = "/v2/team/filter/manifests/latest"
    let blob = "/v2/team/filter/blobs/\(ModuleDigest.of(Self.module))"
    let token = "/token?x=1&service=reg%20%221%22&scope=repository:team/filter:pull"
    _ = try await source.download(fetch, resolved: nil, to: MemorySink())
    #expect(server.requests.map(\.target) == [manifest, token, manifest, blob])
    _ = try await source.download(fetch, resolved: nil, to: MemorySink())
    #expect(server.requests.dropFirst(4).map(\.target) == [manifest, blob])
    fixture.clock.advance(by: .seconds(291))
    _ = try await source.download(fetch, resolved: nil, to: MemorySink())
    #expect(server.requests.dropFirst(6).map(\.target) == [manifest, token, manifest, blob])
    // Another login, or none, does not profit.
    let stranger = try FetchFixture.fetch("oci://\(host)/team/filter")
    let error = await #expect(throws: ModuleError.self) {
      try await source.download(stranger, resolved: nil, to: MemorySink())
    }
    #expect(
      error?.description
        == "manifest_failure: http://\(host)/token?…: status 401 Unauthorized; "
        + "the registry wants credentials and there is no pull secret for \(host)")
    await server.stop()
  }

  @Test func `anonymous pulls get a token without a login`() async throws {
    let (server, host) = try await tokenServer(login: nil)
    let outcome = try await FetchFixture().outcome("oci://\(host)/team/filter")
    #expect(try outcome.get() == Self.module)
    #expect(server.requests.count == 4)
    await server.stop()
  }

  @Test func `a refresh token is traded, a registry token is used`() async throws {
    let port = TestBox(0)
    let server = try await TestServer.start { request in
      let realm = "http://127.0.0.1:\(port.withLock { $0 })/token"
      guard request.path == "/token" else {
        return Self.registry(.token(realm: realm, login: nil)).answer(request)
      }
      let isGood =
        request.method == "POST" && request.body.contains("refresh_token=a%2Bb")
        && request.body.contains("grant_type=refresh_token")
      return isGood ? .ok(Array("{\"access_token\":\"good\"}".utf8)) : .status(400)
    }
    port.withLock { $0 = server.port }
    let host = "127.0.0.1:\(server.port)"
    for entry in ["\"identitytoken\":\"a+b\"", "\"registrytoken\":\"good\""] {
      let outcome = try await FetchFixture().outcome(
        "oci://\(host)/team/filter", credentials: Self.config(host, entry))
      #expect(try outcome.get() == Self.module)
    }
    await server.stop()
  }

  @Test(arguments: [
    ("https://r.example", "https://auth.example/token", false, true),
    ("https://r.example", "http://auth.example/token", false, true),
    ("https://r.example", "http://auth.example/token", true, false),
    ("https://r.example", "http://169.254.169.254/token", false, false),
    ("https://r.example", "http://metadata.google.internal/", false, false),
    ("https://r.example", "http://localhost/", false, false),
    ("https://r.example", "https://10.0.0.1/", false, false),
    ("https://r.example", "https://[::1]/", false, false),
    ("https://r.example", "https://[::ffff:10.0.0.1]/", false, false),
    ("https://r.example", "https://8.8.8.8/", true, true),
    ("https://10.0.0.1", "https://10.0.0.1:8443/token", true, true),
    ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true, true),
    ("https://r.example", "file:///etc/passwd", false, false),
    ("https://r.example", "", false, false),
  ])
  func `a realm must be fit to be asked`(
    _ registry: String, _ realm: String, _ hasLogin: Bool, _ isFit: Bool
  ) throws {
    let challenge = RegistryChallenge(scheme: "bearer", parameters: ["realm": realm])
    let url = try HTTPURL(parsing: registry)
    let taken = try? challenge.realm(of: url, hasLogin: hasLogin)
    #expect((taken != nil) == isFit)
  }

  @Test func `challenges are read as they come`() {
    #expect(
      RegistryChallenge.parse(
        #"Basic realm="a, b", Bearer realm="https://x/t",service=reg,scope="r:a:pull,push""#)
        == [
          RegistryChallenge(scheme: "basic", parameters: ["realm": "a, b"]),
          RegistryChallenge(
            scheme: "bearer",
            parameters: ["realm": "https://x/t", "service": "reg", "scope": "r:a:pull,push"]),
        ])
    #expect(
      RegistryChallenge.parse("Negotiate, Basic")
        == [
          RegistryChallenge(scheme: "negotiate", parameters: [:]),
          RegistryChallenge(scheme: "basic", parameters: [:]),
        ])
    for text in ["", ",", "=", "=x", "a=\"", "Bearer realm=\"\\", "\"\""] {
      _ = RegistryChallenge.parse(text)  // whatever it is, it ends
    }
  }

  @Test func `blobs behind a redirect come without the authorization`() async throws {
    let storage = try await TestServer.start([.ok(Self.module)])
    let registry = Self.registry(.basic("me:hush"))
    let server = try await TestServer.start { request in
      guard request.path.contains("/blobs/"), request.headers["authorization"] != nil else {
        return registry.answer(request)
      }
      return .redirect("http://other.example:\(storage.port)/blob?signature=s", status: 307)
    }
    let host = "127.0.0.1:\(server.port)"
    let outcome = try await FetchFixture().outcome(
      "oci://\(host)/team/filter", credentials: Self.config(host, Self.me))
    #expect(try outcome.get() == Self.module)
    #expect(storage.requests.map(\.target) == ["/blob?signature=s"])
    #expect(storage.requests.first?.headers["authorization"] == nil)
    await server.stop()
    await storage.stop()
  }

  @Test func `plain http needs the registry to be listed or local`() async throws {
    let registry = Self.registry()
    let server = try await TestServer.start { registry.answer($0) }
    let host = "registry.example:\(server.port)"
    var fixture = FetchFixture()
    fixture.settings.attempts = 1
    let text = try await fixture.outcome("oci://\(host)/team/filter").text
    #expect(text.hasPrefix("download_failure: https://\(host)/v2/team/filter/manifests/latest: "))
    #expect(
      text.hasSuffix(
        "if the registry speaks plain http, name \(host) in WASM_INSECURE_REGISTRIES"))
    for listed in [host, "*"] {
      fixture.settings.insecureRegistries = [listed]
      #expect(try await fixture.outcome("oci://\(host)/team/filter").get() == Self.module)
    }
    fixture.settings.insecureRegistries = []
    let local = try await fixture.outcome("oci://localhost:\(server.port)/team/filter")
    #expect(try local.get() == Self.module)
    await server.stop()
  }

  @Test func `a registry with a private CA is trusted by its bundle`() async throws {
    let registry = Self.registry(.basic("me:hush"))
    let server = try await TestServer.start(isTLS: true) { registry.answer($0) }
    let host = "registry.example:\(server.port)"
    let bundle = FileManager.default.temporaryDirectory.appending(
      path: "skiff-ca-\(UUID().uuidString).pem")
    try TestCertificates.authority.write(to: bundle, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: bundle) }
    var fixture = FetchFixture()
    let image = "oci://\(host)/team/filter"
    let credentials = Self.config(host, Self.me)
    let untrusted = try await fixture.outcome(image, credentials: credentials).text
    #expect(untrusted.contains("the server's certificate is not trusted"))
    #expect(server.requests.isEmpty)
    fixture.settings.certificateAuthorities = [host: bundle.path]
    #expect(try await fixture.outcome(image, credentials: credentials).get() == Self.module)
    await server.stop()
  }
}
