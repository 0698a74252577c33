// SPDX-License-Identifier: Apache-2.0

import Agent
import AsyncHTTPClient
import Hummingbird
import Logging
import NIOCore
import Serving
import Synchronization

/// Envoy's admin interface, as far as the agent asks it; remembers what was asked.
final class FakeAdmin: Sendable {
  struct State {
    var requests: [String] = []
    var isLive = true
    /// Numbers of active connections to tell, one after the other; then none.
    var connections: [Int] = []
  }

  let state = Mutex(State())

  var requests: [String] { state.withLock(\.requests) }

  /// Runs the interface on a free port for as long as `body` takes.
  func serve(_ body: @escaping @Sendable (EnvoyAdmin) async throws -> Void) async throws {
    try await HTTPClient.withHTTPClient(configuration: EnvoyAdmin.clientConfiguration) { client in
      try await serve(client, body)
    }
  }

  private func serve(
    _ client: HTTPClient, _ body: @escaping @Sendable (EnvoyAdmin) async throws -> Void
  ) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      router: router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in
        continuation.yield(channel.localAddress?.port ?? 0)
        continuation.finish()
      }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      for await port in ports {
        try await body(EnvoyAdmin(address: HostPort(host: "127.0.0.1", port: port), client: client))
      }
      group.cancelAll()
    }
  }

  private func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.get("ready") { _, _ in
      let isLive = self.state.withLock(\.isLive)
      return Response(
        status: isLive ? .ok : .serviceUnavailable,
        body: .init(byteBuffer: ByteBuffer(string: isLive ? "LIVE\n" : "INITIALIZING\n")))
    }
    router.post("drain_listeners") { request, _ in self.note(request, "OK\n") }
    router.get("stats/prometheus") { request, _ in self.note(request, "envoy_up{} 1\n") }
    router.get("stats") { request, _ in
      let count = self.state.withLock { state in
        state.connections.isEmpty ? 0 : state.connections.removeFirst()
      }
      return self.note(
        request,
        """
        listener.0.0.0.0_80.downstream_cx_active: \(count)
        listener.0.0.0.0_80.worker_0.downstream_cx_active: \(count)
        listener.admin.downstream_cx_active: 1

        """)
    }
    return router
  }

  private func note(_ request: Request, _ text: String) -> Response {
    state.withLock { $0.requests.append("\(request.method) \(request.uri)") }
    return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}
