// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import NIOEmbedded
import Testing

@Suite struct HTTP2ConnectionTests {
  /// A server's connection in a channel whose clock the test moves.
  private struct Connection {
    let channel = EmbeddedChannel()
    let shard: ConnectionShard
    let session: HTTP2Session

    init(configure: (inout ConnectionLifetime) -> Void = { _ in }) throws {
      var lifetime = ConnectionLifetime()
      lifetime.maxAgeJitter = 0
      configure(&lifetime)
      shard = ConnectionShard(
        eventLoop: channel.eventLoop, sweepInterval: lifetime.sweepInterval)
      let recording = TestMethod { call throws(GRPCStatus) in RecordingStream(call) }
      session = HTTP2Session(
        .server, limits: HTTP2Limits(), methods: [recording.path: recording],
        callbacks: shard.callbacks, sink: shard.sink, eventLoop: channel.eventLoop)
      try channel.pipeline.syncOperations.addHandler(
        HTTP2ConnectionHandler(
          session: session, shard: shard, lifetime: lifetime, isTLS: false, logger: Loopback.logger)
      )
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
      channel.embeddedEventLoop.run()
    }

    func receive(_ bytes: [UInt8]) throws {
      try channel.writeInbound(ByteBuffer(bytes: bytes))
      channel.embeddedEventLoop.run()
    }

    func advance(by seconds: Double) {
      channel.embeddedEventLoop.advanceTime(by: .nanoseconds(Int64(seconds * 1e9)))
    }

    /// The frames written since the last time, by type.
    func written() throws -> [Wire.Frame] {
      var bytes: [UInt8] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
        bytes += buffer.readableBytesView
      }
      return Wire.frames(bytes)
    }

    var isOpen: Bool { channel.isActive }
  }

  @Test func `a connection begins with SETTINGS`() throws {
    let connection = try Connection()
    #expect(try connection.written().map(\.type) == [.settings, .windowUpdate])
  }

  @Test func `a connection without a handshake is closed`() throws {
    let connection = try Connection { $0.handshakeTimeout = .seconds(4) }
    try connection.receive(Array(Wire.preface.prefix(10)))
    connection.advance(by: 3.9)
    #expect(connection.isOpen)
    connection.advance(by: 0.2)
    #expect(!connection.isOpen)
  }

  @Test func `garbage closes the connection`() throws {
    let connection = try Connection()
    try connection.receive(Array("GET / HTTP/1.1\r\nhost: x\r\n\r\n".utf8))
    #expect(!connection.isOpen)
  }

  @Test func `a quiet peer is pinged and a dead one dropped`() throws {
    let connection = try Connection()
    try connection.receive(Wire.preface + Wire.settings + Wire.request())
    let stream = try #require(connection.session.calls[1]?.stream as? RecordingStream)
    _ = try connection.written()
    connection.advance(by: 29.9)
    #expect(try connection.written() == [])
    connection.advance(by: 2)
    let pings = try connection.written()
    #expect(pings == [Wire.Frame(type: .ping, flags: 0, stream: 0, payload: Wire.bigEndian(0, 8))])
    // It answers, and has another interval to live.
    try connection.receive(Wire.frame(.ping, flags: Wire.Flags.ack, Wire.bigEndian(0, 8)))
    connection.advance(by: 33)
    #expect(try connection.written().map(\.type) == [.ping])
    connection.advance(by: 7)
    #expect(connection.isOpen)
    connection.advance(by: 4)
    #expect(!connection.isOpen)
    let reason = "connection lost: no answer to PING within \(TimeAmount.seconds(10))"
    #expect(stream.events == [.closed(GRPCStatus(.unavailable, reason))])
  }

  @Test func `a peer that pings is answered and never punished`() throws {
    let connection = try Connection()
    try connection.receive(Wire.preface + Wire.settings)
    _ = try connection.written()
    for second in 0..<300 {
      try connection.receive(Wire.frame(.ping, Wire.bigEndian(second, 8)))
      connection.advance(by: 1)
    }
    let frames = try connection.written()
    #expect(frames.map(\.type) == Array(repeating: .ping, count: 300))
    #expect(frames.allSatisfy { $0.flags == Wire.Flags.ack })
    #expect(frames.last?.payload == Wire.bigEndian(299, 8))
  }

  @Test func `an old connection is asked to go, and its calls end after the grace time`() throws {
    let connection = try Connection {
      $0.maxAge = .seconds(60)
      $0.maxAgeGrace = .seconds(10)
      $0.keepaliveInterval = .hours(1)
    }
    try connection.receive(Wire.preface + Wire.settings + Wire.request())
    let stream = try #require(connection.session.calls[1]?.stream as? RecordingStream)
    _ = try connection.written()
    connection.advance(by: 61)
    #expect(try connection.written().map(\.type) == [.goAway])
    #expect(stream.events == [])
    connection.advance(by: 10)
    let status = GRPCStatus(.unavailable, "the server is shutting this connection down")
    #expect(stream.events == [.closed(status)])
    #expect(try connection.written().map(\.type) == [.goAway, .headers, .resetStream])
    #expect(!connection.isOpen)
  }

  @Test func `an idle connection goes at once when the server drains`() throws {
    let connection = try Connection()
    try connection.receive(Wire.preface + Wire.settings)
    _ = try connection.written()
    let drained = connection.shard.drain(within: .seconds(5), cutAfter: .seconds(7))
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.written().map(\.type) == [.goAway])
    try drained.wait()
  }

  @Test func `what outlives the time to drain is cut`() throws {
    let connection = try Connection()
    try connection.receive(Wire.preface + Wire.settings + Wire.request())
    let drained = connection.shard.drain(within: .seconds(5), cutAfter: .seconds(7))
    connection.advance(by: 6.9)
    connection.advance(by: 0.2)
    #expect(!connection.isOpen)
    try drained.wait()
  }

  @Test func `wakes of many turns are one write`() throws {
    let connection = try Connection()
    try connection.receive(Wire.preface + Wire.settings + Wire.request())
    _ = try connection.written()
    let stream = try #require(connection.session.calls[1]?.stream as? RecordingStream)
    let pulls = stream.pulls
    stream.outgoing = [OutboundMessage("hello")]
    for _ in 0..<100 { stream.call.wake() }
    #expect(stream.pulls == pulls)  // never from inside a wake
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.written().map(\.type) == [.data])
    #expect(stream.pulls == pulls + 2)
  }
}
