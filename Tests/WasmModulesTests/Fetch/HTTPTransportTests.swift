// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOPosix
import Testing

@testable import WasmModules

/// Redirects, TLS, proxies, and addresses that nothing is fetched from.
@Suite struct HTTPTransportTests {
  private static let module = TestModules.module()

  @Test func `redirects are followed and credentials stay at home`() async throws {
    let other = try await TestServer.start([.ok(Self.module)])
    let server = try await TestServer.start { request in
      switch request.path {
      case "/a": .redirect("/b?x=1", status: 301)
      case "/b": .redirect("c", status: 307)
      default: .redirect("http://other.example:\(other.port)/end#part", status: 308)
      }
    }
    let outcome = try await FetchFixture().outcome(
      "http://me:hush@modules.example:\(server.port)/a")
    #expect(try outcome.get() == Self.module)
    #expect(server.requests.map(\.target) == ["/a", "/b?x=1", "/c"])
    #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Basic bWU6aHVzaA==" })
    #expect(other.requests.map(\.target) == ["/end"])
    #expect(other.requests.first?.headers["authorization"] == nil)
    await server.stop()
    await other.stop()
  }

  @Test func `redirects have an end`() async throws {
    let server = try await TestServer.start([.redirect("/again")])
    let url = "http://127.0.0.1:\(server.port)/m"
    let text = try await FetchFixture().outcome(url).text
    #expect(text == "download_failure: \(url): more than 10 redirects")
    #expect(server.requests.count == 11)
    await server.stop()
  }

  @Test(arguments: ["file:///etc/passwd", "ftp://x/y", "http://[::1", "http://0x7f.1/"])
  func `a redirect to nowhere sensible is refused`(_ location: String) async throws {
    let server = try await TestServer.start([.redirect(location)])
    let url = "http://127.0.0.1:\(server.port)/m"
    let text = try await FetchFixture().outcome(url).text
    #expect(text == "download_failure: \(url): redirected to a URL of no use")
    await server.stop()
  }

  @Test(arguments: [
    ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
    ("http://metadata.example/", "169.254.169.254"),
    ("http://[::ffff:169.254.169.254]/", "169.254.169.254"),
    ("http://[fe80::1]/", "fe80::1"),
    ("http://[fd00:ec2::254]/", "fd00:ec2::254"),
    ("http://[64:ff9b::a9fe:a9fe]/", "64:ff9b::a9fe:a9fe"),
    ("http://[2002:a9fe:a9fe::]/", "2002:a9fe:a9fe::"),
    ("http://100.100.100.200/", "100.100.100.200"),
    ("http://224.0.0.1/", "224.0.0.1"),
    ("http://10.9.0.1/", "10.9.0.1"),
  ])
  func `nothing is fetched from a blocked address, directly or by redirect`(
    _ url: String, _ address: String
  ) async throws {
    let server = try await TestServer.start([.redirect(url)])
    var fixture = FetchFixture()
    fixture.names["metadata.example"] = [["169.254.169.254"]]
    fixture.settings.blockedRanges = AddressRange.ranges("10.9.0.0/16")
    for start in [url, "http://127.0.0.1:\(server.port)/"] {
      let text = try await fixture.outcome(start).text
      #expect(
        text.hasSuffix(
          "is at \(address), a link-local, metadata or otherwise blocked address; "
            + "no module is fetched from there"), "\(start): \(text)")
    }
    #expect(server.requests.count == 1)
    await server.stop()
  }

  @Test(arguments: [
    ("10.0.0.1", false), ("127.0.0.1", false), ("192.168.1.1", false), ("::1", false),
    ("fd00::1", false), ("8.8.8.8", false), ("100.100.100.201", false), ("170.0.0.1", false),
    ("169.253.255.255", false), ("169.254.0.0", true), ("169.254.255.255", true),
    ("fe80::", true), ("febf:ffff::1", true), ("fec0::1", false), ("ff02::1", true),
    ("fd00:ec2::", true), ("fd00:ec2:ffff::1", true), ("fd00:ec3::", false),
    ("239.255.255.255", true), ("240.0.0.1", false), ("64:ff9b::808:808", false),
    ("::ffff:100.100.100.200", true),
  ])
  func `the guard knows its ranges`(_ text: String, _ isBlocked: Bool) throws {
    #expect(AddressGuard().isBlocked(try #require(IPAddress(text))) == isBlocked)
  }

  @Test(arguments: ["10.0.0.0/33", "10.0.0/8", "x", "::/129", "10.0.0.0/-1", ""])
  func `a range that is none is refused`(_ text: String) {
    #expect(AddressRange(text) == nil)
  }

  @Test func `the address that was checked is the one that is connected to`() async throws {
    let server = try await TestServer.start([.status(500), .ok(Self.module)])
    var fixture = FetchFixture()
    // The second answer of the name server is the attack; it is checked as the first was.
    fixture.names["rebind.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    let text = try await fixture.outcome("http://rebind.example:\(server.port)/").text
    #expect(text.contains("is at 169.254.169.254"))
    #expect(server.requests.count == 1)
    #expect(server.requests.first?.headers["host"] == "rebind.example:\(server.port)")
    await server.stop()
  }

  @Test func `a blocked address beside a good one is passed over`() async throws {
    let server = try await TestServer.start([.ok(Self.module)])
    var fixture = FetchFixture()
    fixture.names["modules.example"] = [["169.254.169.254", "127.0.0.1"]]
    let outcome = try await fixture.outcome("http://modules.example:\(server.port)/")
    #expect(try outcome.get() == Self.module)
    await server.stop()
  }

  @Test func `a private CA is trusted for its host alone`() async throws {
    let server = try await TestServer.start(isTLS: true, [.ok(Self.module)])
    let bundle = FileManager.default.temporaryDirectory.appending(
      path: "skiff-ca-\(UUID().uuidString).pem")
    try TestCertificates.authority.write(to: bundle, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: bundle) }
    let host = "modules.example:\(server.port)"
    var fixture = FetchFixture()
    let untrusted = try await fixture.outcome("https://\(host)/").text
    #expect(
      untrusted
        == "download_failure: https://\(host)/: the server's certificate is not trusted; give the "
        + "CA of \(host), or name it in WASM_INSECURE_REGISTRIES")
    fixture.settings.certificateAuthorities = [host: bundle.path]
    #expect(try await fixture.outcome("https://\(host)/").get() == Self.module)
    fixture.settings.certificateAuthorities = ["other.example:\(server.port)": bundle.path]
    let wrongName = try await fixture.outcome("https://other.example:\(server.port)/").text
    #expect(wrongName.contains("certificate"))
    #expect(!wrongName.contains("attempts"))
    fixture.settings.insecureRegistries = ["other.example:\(server.port)"]
    #expect(
      try await fixture.outcome("https://other.example:\(server.port)/").get() == Self.module)
    fixture.settings.insecureRegistries = ["*"]
    #expect(try await fixture.outcome("https://\(host)/").get() == Self.module)
    fixture.settings = .init()
    fixture.settings.certificateAuthorities = [host: "/nonexistent.pem"]
    #expect(
      try await fixture.outcome("https://\(host)/").text.hasSuffix(
        "the CA bundle /nonexistent.pem for modules.example holds no PEM certificates"))
    await server.stop()
  }

  @Test(arguments: [
    ("http://a.example/", "http://p:1"), ("https://a.example/", "http://q:2"),
    ("http://localhost/", nil), ("http://127.0.0.1/", nil), ("http://no.example/", nil),
    ("http://sub.no.example/", nil), ("http://dot.example/", "http://p:1"),
    ("http://sub.dot.example/", nil), ("http://port.example:81/", nil),
    ("http://port.example/", "http://p:1"), ("http://10.1.2.3/", nil),
    ("http://11.1.2.3/", "http://p:1"), ("http://xno.example/", "http://p:1"),
  ])
  func `proxies are chosen as everywhere`(_ url: String, _ proxy: String?) throws {
    let proxies = try HTTPProxies(
      http: "p:1", https: "http://me:hush@q:2",
      exclusions: "no.example, .dot.example,port.example:81,10.0.0.0/8")
    let chosen = try proxies.proxy(for: HTTPURL(parsing: url))
    #expect(chosen.map { "http://\($0.authority)" } == proxy)
    #expect(throws: ModuleError.self) {
      try HTTPProxies(http: "https://p", https: nil, exclusions: nil)
    }
  }

  @Test func `a proxy is asked for a tunnel by name and never for a blocked literal`() async throws
  {
    let proxy = try await TestServer.start([.status(403)])
    var fixture = FetchFixture()
    fixture.settings.proxies = try HTTPProxies(
      http: "http://me:hush@127.0.0.1:\(proxy.port)", https: nil, exclusions: nil)
    fixture.settings.attempts = 1
    let text = try await fixture.outcome("http://unknown.example/m.wasm").text
    #expect(
      text
        == "download_failure: http://unknown.example/m.wasm: the proxy refuses a tunnel (CONNECT) "
        + "to unknown.example")
    #expect(proxy.requests.map { "\($0.method) \($0.target)" } == ["CONNECT unknown.example:80"])
    #expect(proxy.requests.first?.headers["proxy-authorization"] == "Basic bWU6aHVzaA==")
    let literal = try await fixture.outcome("http://169.254.169.254/").text
    #expect(literal.contains("blocked address"))
    #expect(proxy.requests.count == 1)
    await proxy.stop()
  }

  @Test func `the system's resolver knows this machine, and nobody waits for it in vain`() async {
    let resolver = SystemHostResolver(threads: .singleton)
    let addresses = try? await resolver.addresses(of: "localhost")
    #expect(addresses?.isEmpty == false)
    #expect(addresses?.allSatisfy(\.isLoopback) == true)
    let gone = Task { try await resolver.addresses(of: "localhost") }
    gone.cancel()
    // Either answer may be first; there is one in any case.
    _ = await gone.result
  }
}
