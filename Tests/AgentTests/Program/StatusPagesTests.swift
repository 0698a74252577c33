// SPDX-License-Identifier: Apache-2.0

import Agent
import AsyncHTTPClient
import JSON
import Logging
import MeshModel
import NIOCore
import NIOHTTP1
import Prometheus
import Serving
import Synchronization
import Testing
import WasmModules

/// The agent's HTTP server, asked as a probe and Prometheus ask it.
@Suite(.timeLimit(.minutes(1))) struct StatusPagesTests {
  private final class Parts: Sendable {
    let wasServed = Mutex(false)
    let quits = Mutex(0)
  }

  private struct Answer: Equatable {
    var status: UInt
    var type: String?
    var body: String
  }

  /// Runs the server with these parts; `get` asks it.
  private static func serve(
    _ parts: Parts, admin: EnvoyAdmin, ownsEnvoy: Bool = true,
    _ body:
      @escaping @Sendable (_ ask: @Sendable (HTTPMethod, String) async throws -> Answer)
      async throws -> Void
  ) async throws {
    let pages = StatusPages(
      .init(
        wasServed: { parts.wasServed.withLock { $0 } }, modules: { [] },
        holdings: {
          [
            ModuleLibrary.Holding(
              path: "/data/wasm/a.wasm", bytes: 8, lastUse: 5, isChecked: true,
              users: ["stream 1"], plugins: ["ns.p"])
          ]
        }, admin: admin, ownsEnvoy: ownsEnvoy, quit: { parts.quits.withLock { $0 += 1 } }),
      registry: MetricRegistry())
    let server = try HTTPListener(
      address: HostPort(host: "127.0.0.1", port: 0), flag: "--status-address",
      router: pages.router(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      let address = try #require(await server.boundAddress())
      try await body { method, path in
        var request = HTTPClientRequest(url: "http://\(address)\(path)")
        request.method = method
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        return Answer(
          status: response.status.code, type: response.headers.first(name: "content-type"),
          body: String(buffer: try await response.body.collect(upTo: 1 << 20)))
      }
      group.cancelAll()
    }
  }

  @Test func `ready once skiffd has answered and Envoy is live`() async throws {
    let (parts, fake) = (Parts(), FakeAdmin())
    fake.state.withLock { $0.isLive = false }
    try await fake.serve { admin in
      try await Self.serve(parts, admin: admin) { ask in
        #expect(try await ask(.GET, "/healthz/live").status == 200)
        let waiting = try await ask(.GET, "/healthz/ready")
        #expect(waiting.status == 503)
        #expect(waiting.body == "no answer of the control plane yet\n")
        parts.wasServed.withLock { $0 = true }
        #expect(try await ask(.GET, "/healthz/ready").body == "Envoy is not live\n")
        fake.state.withLock { $0.isLive = true }
        #expect(try await ask(.GET, "/healthz/ready").status == 200)
      }
    }
  }

  @Test func `an Envoy started elsewhere is not asked`() async throws {
    let (parts, fake) = (Parts(), FakeAdmin())
    fake.state.withLock { $0.isLive = false }
    parts.wasServed.withLock { $0 = true }
    try await fake.serve { admin in
      try await Self.serve(parts, admin: admin, ownsEnvoy: false) { ask in
        let answer = try await ask(.GET, "/healthz/ready")
        #expect(answer.status == 200)
      }
    }
  }

  @Test func `metrics are the agent's, then Envoy's`() async throws {
    try await FakeAdmin().serve { admin in
      try await Self.serve(Parts(), admin: admin) { ask in
        let answer = try await ask(.GET, "/stats/prometheus")
        #expect(answer.type == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answer.body.contains("\nistio_agent_scrapes_total 1\n"))
        #expect(answer.body.hasSuffix("\nenvoy_up{} 1\n"))
      }
    }
  }

  @Test func `without Envoy the agent's own metrics still come`() async throws {
    try await HTTPClient.withHTTPClient(configuration: EnvoyAdmin.clientConfiguration) { client in
      // Nobody can listen on port 0.
      let admin = EnvoyAdmin(address: HostPort(host: "127.0.0.1", port: 0), client: client)
      try await Self.serve(Parts(), admin: admin) { ask in
        let first = try await ask(.GET, "/stats/prometheus")
        #expect(first.status == 200)
        let second = try await ask(.GET, "/stats/prometheus")
        #expect(second.body.contains("istio_agent_scrape_failures_total{type=\"envoy\"} 1\n"))
      }
    }
  }

  @Test func `quitquitquit ends the agent, by POST`() async throws {
    let parts = Parts()
    try await FakeAdmin().serve { admin in
      try await Self.serve(parts, admin: admin) { ask in
        let got = try await ask(.GET, "/quitquitquit")
        let before = parts.quits.withLock { $0 }
        #expect(got.status != 200 && before == 0)
        let posted = try await ask(.POST, "/quitquitquit")
        let after = parts.quits.withLock { $0 }
        #expect(posted.body == "OK" && after == 1)
      }
    }
  }

  @Test func `wasmz shows what is on disk`() async throws {
    try await FakeAdmin().serve { admin in
      try await Self.serve(Parts(), admin: admin) { ask in
        let answer = try await ask(.GET, "/debug/wasmz")
        #expect(answer.type == "application/json")
        #expect(
          try JSONValue(parsing: Array(answer.body.utf8)) == [
            "served": false, "modules": [],
            "cache": [
              [
                "path": "/data/wasm/a.wasm", "bytes": 8, "last_use": 5, "checked": true,
                "users": ["stream 1"], "plugins": ["ns.p"],
              ]
            ],
          ])
      }
    }
  }
}
