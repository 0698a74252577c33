// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPC
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct GRPCServerTests {
  private let threeEchoes: [StreamEvent] = [
    .message("echo one"), .message("echo two"), .message("echo three"), .closed(.ok),
  ]

  private let sendThree: @Sendable (RecordingStream) -> Void = { stream in
    stream.outgoing = ["one", "two", "three"].map { OutboundMessage($0) }
    stream.halfCloses = true
  }

  @Test func `what cannot be connected to is told in the system's words`() async throws {
    await #expect(
      throws: GRPCStatus(
        .unavailable, "cannot connect to unix:/nowhere/a.sock: no such file or directory")
    ) {
      try await Loopback.connect(to: .unix(path: "/nowhere/a.sock"))
    }
    await #expect(
      throws: GRPCStatus(.unavailable, "cannot connect to 127.0.0.1:1: connection refused")
    ) {
      try await Loopback.connect(to: .tcp(host: "127.0.0.1", port: 1))
    }
  }

  @Test func `a client may be closed again when its connection is gone`() async throws {
    try await Loopback.withServer([TestMethod.echo]) { _, address in
      let client = try await Loopback.connect(to: address)
      client.close()
      try await client.closeFuture.get()
      client.close()
      await #expect(throws: GRPCStatus.self) {
        try await client.unary("/test.Test/Echo", ByteBuffer())
      }
    }
  }

  @Test func `calls over TCP`() async throws {
    try await Loopback.withServer([TestMethod.echo]) { server, address in
      let client = try await Loopback.connect(to: address)
      let calls = (0..<50).map { _ in Loopback.call(client, configure: sendThree) }
      for call in calls { #expect(try await call.get() == threeEchoes) }
      #expect(server.connectionCount == 1)
      client.close()
      try await client.closeFuture.get()
    }
  }

  @Test func `calls over a Unix socket, whose file goes with the server`() async throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "skiff-\(UUID().uuidString).sock").path(percentEncoded: false)
    try await Loopback.withServer([TestMethod.echo], at: .unix(path: path)) { _, address in
      let client = try await Loopback.connect(to: address)
      #expect(try await Loopback.call(client, configure: sendThree).get() == threeEchoes)
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func `calls over TLS`() async throws {
    let tls = try Loopback.serverTLS()
    try await Loopback.withServer([TestMethod.echo], tls: tls) { _, address in
      let clientTLS = try Loopback.clientTLS()
      let client = try await Loopback.connect(to: address) {
        $0.tls = clientTLS
        $0.serverHostname = "localhost"
      }
      #expect(try await Loopback.call(client, configure: sendThree).get() == threeEchoes)
      let text = String(repeating: "tls ", count: 500_000)
      let big = Loopback.call(client) { stream in
        stream.outgoing = [OutboundMessage(text)]
        stream.halfCloses = true
      }
      #expect(try await big.get() == [.message("echo " + text), .closed(.ok)])
    }
  }

  @Test func `a client without ALPN gets no connection`() async throws {
    let tls = try Loopback.serverTLS()
    try await Loopback.withServer([TestMethod.echo], tls: tls) { _, address in
      guard case .tcp(let host, let port) = address else { return }
      let context = try NIOSSLContext(configuration: try Loopback.clientTLS())
      let channel = try await ClientBootstrap(group: Loopback.group)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: context, serverHostname: "localhost"))
          }
        }
        .connect(host: host, port: port).get()
      try await channel.closeFuture.get()
    }
  }

  @Test func `a plaintext client of a TLS server fails to connect`() async throws {
    let tls = try Loopback.serverTLS()
    try await Loopback.withServer([TestMethod.echo], tls: tls) { _, address in
      await #expect(throws: GRPCStatus.self) { _ = try await Loopback.connect(to: address) }
    }
  }

  @Test func `unary calls answer or throw their status`() async throws {
    try await Loopback.withServer([TestMethod.echo]) { _, address in
      let client = try await Loopback.connect(to: address)
      let answer = try await client.unary("/test.Test/Echo", ByteBuffer(string: "hi"))
      #expect(String(buffer: answer) == "echo hi")
      await #expect(throws: GRPCStatus(.unimplemented, "unknown method /test.Test/None")) {
        _ = try await client.unary("/test.Test/None", ByteBuffer())
      }
    }
  }

  @Test func `the end of the server ends calls and connections`() async throws {
    let (client, events) = try await Loopback.withServer([TestMethod.echo]) { _, address in
      let client = try await Loopback.connect(to: address)
      let events = Loopback.call(client) { $0.outgoing = [OutboundMessage("hi")] }
      _ = try await client.unary("/test.Test/Echo", ByteBuffer())
      return (client, events)
    }
    #expect(
      try await events.get() == [
        .message("echo hi"),
        .closed(GRPCStatus(.unavailable, "the server is shutting this connection down")),
      ])
    try await client.goAwayFuture.get()
    try await client.closeFuture.get()
  }

  @Test func `one connection too many is closed`() async throws {
    try await Loopback.withServer([TestMethod.echo], configure: { $0.maxConnections = 1 }) {
      server, address in
      let client = try await Loopback.connect(to: address)
      await #expect(throws: GRPCStatus.self) { _ = try await Loopback.connect(to: address) }
      #expect(try await Loopback.call(client, configure: sendThree).get() == threeEchoes)
    }
  }

  @Test func `a server lets a peer be shed from inside a call`() async throws {
    let shedding = TestMethod { call throws(GRPCStatus) in
      call.closeConnection()
      return RecordingStream(call)
    }
    try await Loopback.withServer([shedding]) { _, address in
      let client = try await Loopback.connect(to: address)
      let events = try await Loopback.call(client).get()
      #expect(
        events == [
          .closed(
            GRPCStatus(.unavailable, "connection lost: the peer has closed the connection"))
        ])
      try await client.closeFuture.get()
    }
  }

  @Test func `an address in use is an error`() async throws {
    try await Loopback.withServer([]) { _, address in
      await #expect(throws: (any Error).self) {
        try await Loopback.withServer([], at: address) { _, _ in }
      }
    }
  }

  @Test func `a socket that stops reading pins what was written once`() async throws {
    let pulls = Mutex(0)
    let resumed = Loopback.group.any().makePromise(of: Void.self)
    defer { resumed.fail(GRPCStatus(.aborted, "the test is over")) }
    let version = ByteBuffer(repeating: 0x76, count: 1_000_000)
    let endless = TestMethod { call throws(GRPCStatus) in
      EndlessStream(OutboundMessage(shared: version)) {
        if pulls.withLock({
          $0 += 1; return $0
        }) == 20 {
          resumed.succeed()
        }
      }
    }
    try await Loopback.withServer([endless]) { _, address in
      guard case .tcp(let host, let port) = address else { return }
      // A wide window, so that only the socket holds the server back; and nobody reads.
      let channel = try await ClientBootstrap(group: Loopback.group)
        .channelOption(.autoRead, value: false)
        .channelOption(.socketOption(.so_rcvbuf), value: 64 * 1024)
        .connect(host: host, port: port).get()
      let window = Wire.frame(.settings, [0, 4, 0x7f, 0xff, 0xff, 0xff])
      let connection = Wire.frame(.windowUpdate, Wire.bigEndian(0x7fff_0000, 4))
      try await channel.writeAndFlush(
        ByteBuffer(bytes: Wire.preface + window + connection + Wire.request()))
      // Another connection works on, and when it has, the stopped one has long been full.
      let client = try await Loopback.connect(to: address)
      for _ in 0..<200 {
        _ = try? await client.unary("/test.Test/None", ByteBuffer())
      }
      let before = pulls.withLock { $0 }
      for _ in 0..<200 {
        _ = try? await client.unary("/test.Test/None", ByteBuffer())
      }
      #expect(pulls.withLock { $0 } - before <= 1)
      #expect(before <= 4)  // what the kernel's buffers of both ends took
      try await channel.setOption(.autoRead, value: true).get()
      try await resumed.futureResult.get()  // now it reads, and is sent more
      try await channel.close()
    }
  }
}

/// A stream that always has the same large message.
private final class EndlessStream: GRPCStream {
  private let message: OutboundMessage
  private let onPull: () -> Void

  init(_ message: OutboundMessage, onPull: @escaping () -> Void) {
    self.message = message
    self.onPull = onPull
  }

  func receive(_ message: ByteBuffer) {}
  func receiveEnd() {}
  func nextMessage() -> OutboundMessage? {
    onPull()
    return message
  }
  func closed(_ status: GRPCStatus) {}
}
