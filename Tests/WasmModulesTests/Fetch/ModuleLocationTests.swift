// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WasmModules

@Suite struct ModuleLocationTests {
  private static let hex = String(repeating: "ab", count: 32)

  @Test(arguments: [
    ("http://h/m.wasm", "http://h/m.wasm", "http://h/m.wasm"),
    ("https://me:hush@h:8/m?sig=hush", "https://me:hush@h:8/m?sig=hush", "https://h:8/m?…"),
    ("file:///a/b.wasm", "file:///a/b.wasm", "file:///a/b.wasm"),
    ("oci://r.example/a/b:1", "oci://r.example/a/b", "oci://r.example/a/b:1"),
    ("r.example:5000/a/b", "oci://r.example:5000/a/b", "oci://r.example:5000/a/b:latest"),
    (
      "oci://nginx", "oci://index.docker.io/library/nginx",
      "oci://index.docker.io/library/nginx:latest"
    ),
    ("oci://me/x:2", "oci://index.docker.io/me/x", "oci://index.docker.io/me/x:2"),
    ("docker.io/x", "oci://index.docker.io/library/x", "oci://index.docker.io/library/x:latest"),
    ("localhost/x", "oci://localhost/x", "oci://localhost/x:latest"),
    (
      "oci://R.example/a:t@sha256:\(hex)", "oci://r.example/a", "oci://r.example/a@sha256:\(hex)"
    ),
    ("OCI://r.example/a", "oci://r.example/a", "oci://r.example/a:latest"),
  ])
  func `a location is read as Istio reads it`(_ url: String, _ name: String, _ shown: String) throws
  {
    let location = try ModuleLocation.parse(url)
    #expect(location.moduleName == name)
    #expect(location.description == shown)
    #expect(location.digest?.hex == (url.contains("@sha256") ? Self.hex : nil))
  }

  @Test(arguments: [
    ("ftp://h/m", "unsupported Wasm module URL scheme ftp; use http, https, oci or file"),
    ("file://", "file:// names no file; use file:///PATH"),
    (
      "http://",
      "the Wasm module URL cannot be used: expected a host of letters, digits, '.', '-' and '_'"
    ),
    ("http://h:0/", "the Wasm module URL cannot be used: expected a port between 1 and 65535"),
    ("http://h:+1/", "the Wasm module URL cannot be used: expected a port between 1 and 65535"),
    (
      "http://2130706433/",
      "the Wasm module URL cannot be used: expected an IPv4 address of four decimal numbers"
    ),
    (
      "http://[::1/",
      "the Wasm module URL cannot be used: expected a host of letters, digits, '.', '-' and '_'"
    ),
    (
      "oci://r.example/A",
      "r.example/A is no image reference: "
        + "expected a repository of lower-case letters, digits, '.', '_', '-' and '/'"
    ),
    (
      "oci://r.example/a@sha256:12",
      "r.example/a@sha256:12 is no image reference: expected @sha256: and 64 hexadecimal digits"
    ),
    (
      "oci://r.example/a/../b",
      "r.example/a/../b is no image reference: "
        + "expected a repository of lower-case letters, digits, '.', '_', '-' and '/'"
    ),
    (
      "oci://r.example:5000",
      "r.example:5000 is no image reference: expected REGISTRY/REPOSITORY:TAG, found no repository"
    ),
    (
      "oci://r.example/a:",
      "r.example/a: is no image reference: expected a tag of letters, digits, '.', '_' and '-'"
    ),
    (
      "oci://me:hush@r.example/a",
      "r.example/a is no image reference: expected @sha256: and 64 hexadecimal digits"
    ),
  ])
  func `a location of no use says why`(_ url: String, _ reason: String) {
    #expect(throws: ModuleError(.fetchFailure, reason)) { try ModuleLocation.parse(url) }
  }

  @Test func `a digest is 64 hexadecimal digits`() throws {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    #expect(ModuleDigest.of([]).hex == empty)
    #expect(ModuleDigest(hex: empty.uppercased()) == .of([]))
    #expect(ModuleDigest("sha256:\(empty)")?.description == "sha256:\(empty)")
    #expect(ModuleDigest(hex: empty.dropLast()) == nil)
    #expect(ModuleDigest(hex: empty.dropLast() + "g") == nil)
    #expect(ModuleDigest("sha512:\(empty)") == nil)
    var hasher = ModuleDigest.Hasher()
    for byte: [UInt8] in [[1], [2, 3]] { byte.withUnsafeBytes { hasher.update($0) } }
    #expect(hasher.digest == .of([1, 2, 3]))
  }

  @Test(arguments: [
    ("b", "http://h/a/b"), ("/b?q", "http://h/b?q"), ("?q", "http://h/a/x?q"),
    ("//k/b", "http://k/b"), ("https://k:1/b c#f", "https://k:1/b%20c"), ("é", "http://h/a/%C3%A9"),
  ])
  func `a redirect is resolved against its URL`(_ reference: String, _ result: String) throws {
    let url = try HTTPURL(parsing: "http://me:hush@h/a/x?y")
    #expect(try url.resolving(reference).text == result)
  }

  @Test func `waits grow by half, jitter by half, and stop growing at a minute`() {
    let backoff = Backoff()
    #expect(backoff.delay(afterFailures: 1, chance: 0.5) == .milliseconds(500))
    #expect(backoff.delay(afterFailures: 1, chance: 0) == .milliseconds(250))
    #expect(backoff.delay(afterFailures: 2, chance: 0.5) == .milliseconds(750))
    #expect(backoff.delay(afterFailures: 3, chance: 0.5) == .milliseconds(1125))
    #expect(backoff.delay(afterFailures: 100, chance: 0.5) == .seconds(60))
  }
}

@Suite struct RegistryCredentialsTests {
  private func login(_ text: String, _ registry: String) throws -> RegistryCredentials.Login? {
    try RegistryCredentials(dockerConfig: text).login(for: registry)
  }

  @Test(arguments: [
    (#"{"auths":{"r.example":{"auth":"bWU6aHVzaDo="}}}"#, "r.example"),
    (#"{"auths":{"r.example:5000":{"username":"me","password":"hush:"}}}"#, "r.example:5000"),
    (#"{"auths":{"https://r.example/v1/":{"auth":"bWU6aHVzaDo="}}}"#, "r.example"),
    (#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6aHVzaDo="}}}"#, "index.docker.io"),
    (#"{"auths":{"docker.io":{"auth":"bWU6aHVzaDo="}}}"#, "index.docker.io"),
  ])
  func `a login is found by the registry's host`(_ text: String, _ registry: String) throws {
    #expect(try login(text, registry) == .password(user: "me", password: "hush:"))
    #expect(try login(text, "other.example") == nil)
  }

  @Test func `tokens take precedence`() throws {
    let text = #"{"auths":{"a":{"auth":"bWU6eA==","identitytoken":"t"},"b":{"registrytoken":"u"}}}"#
    #expect(try login(text, "a") == .identityToken("t"))
    #expect(try login(text, "b") == .registryToken("u"))
    #expect(try login("{}", "a") == nil)
  }

  @Test(arguments: [
    "null", "", "[]", #"{"auths":[]}"#, #"{"auths":{"r":{"auth":"hush"}}}"#,
    #"{"auths":{"r":{"auth":"aHVzaA=="}}}"#,
  ])
  func `what is no docker config is refused without telling it`(_ text: String) {
    let error = #expect(throws: ModuleError.self) { try RegistryCredentials(dockerConfig: text) }
    #expect(error?.kind == .manifestFailure)
    #expect(error?.reason.contains("hush") == false)
    #expect(error?.reason.contains("aHVzaA") == false)
  }

  @Test func `credentials never print`() throws {
    let text = #"{"auths":{"r.example":{"username":"me","password":"hush"}}}"#
    let fetch = try FetchFixture.fetch("r.example/a", credentials: text)
    var dumped = ""
    dump(fetch, to: &dumped)
    for shown in ["\(fetch)", String(reflecting: fetch), dumped] {
      #expect(!shown.contains("hush"))
      #expect(!shown.contains("\"me\""))
    }
    #expect("\(try #require(fetch.credentials))" == "<redacted>")
  }
}
