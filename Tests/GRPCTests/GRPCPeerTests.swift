// SPDX-License-Identifier: Apache-2.0

import Foundation
@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct GRPCPeerTests {
  @Test func `grpcio as a client`() async throws {
    let (drain, startDrain) = AsyncStream.makeStream(of: Void.self)
    let hung = Mutex<[GRPCStatus]>([])
    let health = HealthService()
    let methods: [any GRPCMethod] = [
      TestMethod.echo,
      TestMethod("/test.Test/Status") { call throws(GRPCStatus) in
        call.finish(GRPCStatus(.dataLoss, "verloren: 50 % 🙁\n"))
        return RecordingStream(call)
      },
      TestMethod("/test.Test/Hang") { call throws(GRPCStatus) in
        RecordingStream(call) { stream in
          guard case .closed(let status) = stream.events.last else { return }
          hung.withLock { $0.append(status) }
        }
      },
      TestMethod("/test.Test/SetHealth") { call throws(GRPCStatus) in
        health.set(.notServing, for: "ads")
        call.finish()
        return RecordingStream(call)
      },
      TestMethod("/test.Test/Drain") { call throws(GRPCStatus) in
        startDrain.finish()
        return RecordingStream(call)
      },
    ]
    let peer = try await Loopback.withServer(methods + health.methods) { _, address in
      guard case .tcp(let host, let port) = address else { throw GRPCStatus(.internalError) }
      let peer = try Python.start("grpc_client.py", "\(host):\(port)")
      for await _ in drain {}
      return peer  // and now the server drains
    }
    var output: [String] = []
    for await line in peer.lines { output.append(line) }
    let expected = """
      {"bidirectional": [["echo one", "echo ", "echo three"], "OK", {}], \
      "big": [1, true], \
      "cancel": "CANCELLED", \
      "compressed": ["UNIMPLEMENTED", "grpc-encoding gzip is not supported"], \
      "deadline": "DEADLINE_EXCEEDED", \
      "drain": [["UNAVAILABLE", "the server is shutting this connection down"], "UNAVAILABLE"], \
      "health": [1, 3, 2, ["NOT_FOUND", "unknown service none"]], \
      "many": 500, \
      "status": ["DATA_LOSS", "verloren: 50 % \\ud83d\\ude41\\n"], \
      "too_big": ["RESOURCE_EXHAUSTED", \
      "a message of 5242880 bytes is larger than the limit of 4194304"], \
      "unknown": ["UNIMPLEMENTED", "unknown method /test.Test/Unknown"]}
      """
    #expect(output == [expected])
    #expect(Set(hung.withLock { $0.map(\.code) }).isSubset(of: [.deadlineExceeded, .cancelled]))
    #expect(hung.withLock { $0.count } == 2)
  }

  @Test func `grpcio as a server`() async throws {
    let peer = try Python.start("grpc_server.py")
    var lines = peer.lines.makeAsyncIterator()
    let port = try #require(await lines.next().flatMap { Int($0) })
    let client = try await Loopback.connect(to: .tcp(host: "127.0.0.1", port: port))
    let text = String(repeating: "0123456789", count: 300_000)

    let echo = Loopback.call(client) { stream in
      stream.outgoing = ["one", "", text].map { OutboundMessage($0) }
      stream.halfCloses = true
    }
    #expect(
      try await echo.get() == [
        .message("echo one"), .message("echo "), .message("echo " + text), .closed(.ok),
      ])

    let metadata = client.eventLoop.makePromise(of: [String].self)
    _ = try await client.eventLoop.submit {
      try client.open("/test.Test/Echo") { call in
        let stream = RecordingStream(call) { stream in
          let fields = stream.call.responseHeaders + stream.call.trailers
          metadata.succeed(fields.filter { $0.name.hasPrefix("x-") }.map(\.value))
        }
        stream.halfCloses = true
        return stream
      }
      return
    }.get()
    #expect(try await metadata.futureResult.get() == ["1", "2"])

    let hello: @Sendable (RecordingStream) -> Void = { $0.outgoing = [OutboundMessage("hello")] }
    #expect(
      try await Loopback.call(client, "/test.Test/Status", configure: hello).get()
        == [.closed(GRPCStatus(.dataLoss, "verloren: 50 % 🙁"))])
    #expect(
      try await Loopback.call(client, "/test.Test/None", configure: hello).get()
        == [.closed(GRPCStatus(.unimplemented, "Method not found!"))])
    // The peer keeps the deadline too, and may be the first to end the call, with a reset.
    let late = Loopback.call(
      client, "/test.Test/Hang", timeout: .milliseconds(100), configure: hello)
    let ends: [StreamEvent] = [
      .closed(GRPCStatus(.deadlineExceeded, "the deadline has passed")),
      .closed(GRPCStatus(.deadlineExceeded, "Deadline Exceeded")),
      .closed(GRPCStatus(resetWith: 8)),
    ]
    let lateEvents = try await late.get()
    #expect(lateEvents.count == 1)
    #expect(ends.contains(where: lateEvents.contains), "\(lateEvents)")

    let many = (0..<300).map { number in
      Loopback.call(client) { stream in
        stream.outgoing = [OutboundMessage("\(number)")]
        stream.halfCloses = true
      }
    }
    for (number, call) in many.enumerated() {
      #expect(try await call.get() == [.message("echo \(number)"), .closed(.ok)])
    }

    let hung = Loopback.call(client, "/test.Test/Hang", configure: hello)
    _ = try await Loopback.call(client, "/test.Test/None").get()  // so the server knows of it
    try peer.input.write(contentsOf: Data("stop\n".utf8))
    try await client.goAwayFuture.get()
    guard case .closed(let status) = try await hung.get().last else { return }
    #expect(status.code == .unavailable || status.code == .cancelled)
    try await client.closeFuture.get()
    #expect(await lines.next() == nil)
  }
}
