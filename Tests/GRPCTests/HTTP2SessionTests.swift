// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import NIOEmbedded
import Testing

@Suite struct HTTP2SessionTests {
  @Test func `messages go both ways and the call ends with the server's status`() throws {
    let pair = SessionPair(methods: [TestMethod.echo])
    let stream = try pair.open { stream in
      stream.outgoing = [OutboundMessage("one"), OutboundMessage(""), OutboundMessage("three")]
      stream.halfCloses = true
    }
    try pair.exchange()
    #expect(
      stream.events == [
        .message("echo one"), .message("echo "), .message("echo three"), .closed(.ok),
      ])
    #expect(pair.client.session.calls.isEmpty)
    #expect(pair.server.session.calls.isEmpty)
  }

  @Test func `a stream is pulled again only when it is woken`() throws {
    let pair = SessionPair(methods: [TestMethod.echo])
    let stream = try pair.open()
    try pair.exchange()
    #expect(stream.pulls == 1)
    try pair.exchange()
    #expect(stream.pulls == 1)
    stream.send("now")
    stream.call.wake()
    try pair.exchange()
    #expect(stream.events == [.message("echo now")])
    #expect(stream.pulls == 3)  // the message, and that there is no other
  }

  @Test func `a message larger than all windows arrives whole`() throws {
    let pair = SessionPair(methods: [TestMethod.echo])
    let text = String(repeating: "0123456789abcdef", count: 200_000)
    let stream = try pair.open { stream in
      stream.outgoing = [OutboundMessage(text)]
      stream.halfCloses = true
    }
    try pair.exchange()
    #expect(stream.events == [.message("echo " + text), .closed(.ok)])
  }

  @Test func `a request cut at any byte means the same`() throws {
    let pair = SessionPair(methods: [TestMethod.echo])
    _ = try pair.open(headers: [("x-label", "äöü"), ("x-bin", "AAEC")]) { stream in
      stream.outgoing = [OutboundMessage("first"), OutboundMessage("second")]
      stream.halfCloses = true
    }
    let bytes = try pair.client.written()
    let expected: [StreamEvent] = [.message("first"), .message("second"), .end]
    for cut in 0...bytes.count {
      let server = MemorySession(.server, methods: [recording])
      try server.receive(bytes[..<cut])
      _ = try server.written()
      try server.receive(bytes[cut...])
      #expect(server.stream(1)?.events == expected, "cut at \(cut)")
    }
  }

  @Test func `bytes that come one by one mean the same`() throws {
    let pair = SessionPair(methods: [TestMethod.echo])
    let stream = try pair.open { stream in
      stream.outgoing = [OutboundMessage("first"), OutboundMessage("second")]
      stream.halfCloses = true
    }
    var isQuiet = false
    while !isQuiet {
      let (up, down) = (try pair.client.written(), try pair.server.written())
      for byte in up { try pair.server.receive([byte]) }
      for byte in down { try pair.client.receive([byte]) }
      isQuiet = up.isEmpty && down.isEmpty
    }
    #expect(
      stream.events == [.message("echo first"), .message("echo second"), .closed(.ok)])
  }

  @Test func `metadata reaches the method and transport fields do not`() throws {
    let pair = SessionPair(methods: [recording])
    _ = try pair.open(headers: [("x-token", "abc"), ("trace-bin", "AAEC")], timeout: .seconds(5))
    try pair.exchange()
    let call = try #require(pair.server.stream(1)?.call)
    #expect(call.path == "/test.Test/Echo")
    #expect(call.headers.map { "\($0.name)=\($0.value)" } == ["x-token=abc", "trace-bin=AAEC"])
    #expect(call.header("x-token") == "abc")
    #expect(call.header("absent") == nil)
    #expect(call.deadline != nil)
  }

  @Test func `a method refuses with its status in trailers only`() throws {
    let status = GRPCStatus(.permissionDenied, "nicht für dich: 100 %")
    let pair = SessionPair(methods: [TestMethod { _ throws(GRPCStatus) in throw status }])
    let stream = try pair.open()
    let written = try pair.exchange()
    #expect(stream.events == [.closed(status)])
    let frames = Wire.frames(written.server).filter { $0.stream == 1 }
    #expect(frames.map(\.type) == [.headers, .resetStream])
    #expect(
      Wire.headerLines(frames) == [
        [
          ":status: 200", "content-type: application/grpc", "grpc-status: 7",
          "grpc-message: nicht f%C3%BCr dich: 100 %25",
        ]
      ])
  }

  @Test func `the trailers of an open call are followed by RST_STREAM with NO_ERROR`() throws {
    let pair = SessionPair(methods: [recording])
    let stream = try pair.open()
    try pair.exchange()
    let server = try #require(pair.server.stream(1))
    server.outgoing = [OutboundMessage("last")]
    server.call.finish()
    let written = try pair.exchange()
    let frames = Wire.frames(written.server).filter { $0.stream == 1 }
    #expect(frames.map(\.type) == [.data, .headers, .resetStream])
    #expect(frames.map(\.flags) == [0, Wire.Flags.endHeaders | Wire.Flags.endStream, 0])
    #expect(frames.last?.errorCode == 0)
    #expect(stream.events == [.message("last"), .closed(.ok)])
    #expect(server.events == [.closed(.ok)])
  }

  @Test func `an error goes out at once, even inside a message that is stuck`() throws {
    let pair = SessionPair(methods: [recording], clientLimits: narrow)
    let stream = try pair.open()
    try pair.exchange()
    let server = try #require(pair.server.stream(1))
    server.send(String(repeating: "x", count: 100_000))
    let bytes = try pair.server.written()
    #expect(server.call.pendingBytes == 100_005 - narrow.streamWindow)
    server.call.finish(GRPCStatus(.aborted, "slow"))
    #expect(server.call.pendingBytes == 0)
    try pair.client.receive(bytes + (try pair.server.written()))
    try pair.exchange()
    #expect(server.events == [.closed(GRPCStatus(.aborted, "slow"))])
    #expect(stream.events == [.closed(GRPCStatus(.aborted, "slow"))])
    #expect(pair.server.session.calls.isEmpty)
  }

  @Test func `a client that cancels is gone on both sides`() throws {
    let pair = SessionPair(methods: [recording])
    let stream = try pair.open()
    try pair.exchange()
    let server = try #require(pair.server.stream(1))
    stream.call.finish(GRPCStatus(.cancelled, "changed my mind"))
    try pair.exchange()
    #expect(stream.events == [.closed(GRPCStatus(.cancelled, "changed my mind"))])
    #expect(
      server.events == [
        .closed(GRPCStatus(.cancelled, "the stream was reset with HTTP/2 error code 8"))
      ])
  }

  @Test func `a deadline ends the call on both sides`() throws {
    let pair = SessionPair(methods: [recording])
    let stream = try pair.open(timeout: .milliseconds(250))
    try pair.exchange()
    let server = try #require(pair.server.stream(1))
    pair.loop.advanceTime(by: .milliseconds(249))
    try pair.exchange()
    #expect(stream.events == [])
    pair.loop.advanceTime(by: .milliseconds(1))
    try pair.exchange()
    let status = GRPCStatus(.deadlineExceeded, "the deadline has passed")
    #expect(stream.events == [.closed(status)])
    #expect(server.events == [.closed(status)])
  }

  @Test func `a call may be ended while it is opened`() throws {
    let pair = SessionPair(methods: [
      TestMethod { call throws(GRPCStatus) in
        call.finish(GRPCStatus(.notFound, "early"))
        return RecordingStream(call)
      }
    ])
    let stream = try pair.open()
    try pair.exchange()
    #expect(stream.events == [.closed(GRPCStatus(.notFound, "early"))])
  }

  @Test func `streams beyond the limit are refused`() throws {
    var limits = HTTP2Limits()
    limits.maxConcurrentStreams = 2
    let server = MemorySession(.server, methods: [recording], limits: limits)
    try server.receive(Wire.preface + Wire.settings)
    for stream in [1, 3, 5] as [UInt32] { try server.receive(Wire.request(stream: stream)) }
    let resets = Wire.frames(try server.written()).filter { $0.type == .resetStream }
    #expect(resets.map(\.stream) == [5])
    #expect(resets.map(\.errorCode) == [7])  // REFUSED_STREAM
    #expect(server.session.calls.count == 2)
  }

  @Test func `draining lets calls finish and then the session is finished`() throws {
    let pair = SessionPair(methods: [recording])
    let stream = try pair.open()
    try pair.exchange()
    pair.server.session.announceShutdown()
    try pair.exchange()
    #expect(pair.client.session.isGoingAway)
    #expect(throws: GRPCStatus(.unavailable, "the connection takes no more calls")) {
      _ = try pair.open()
    }
    #expect(!pair.server.session.isFinished)
    pair.server.session.goAway(GRPCStatus(.unavailable, "bye"))
    try pair.exchange()
    #expect(stream.events == [.closed(GRPCStatus(.unavailable, "bye"))])
    #expect(pair.server.session.isFinished)
    #expect(pair.client.session.isFinished)
  }

  @Test func `a lost connection ends every call once`() throws {
    let pair = SessionPair(methods: [recording])
    let streams = try (0..<3).map { _ in try pair.open() }
    try pair.exchange()
    let status = GRPCStatus(.unavailable, "gone")
    pair.client.session.tearDown(status)
    pair.client.session.tearDown(status)
    #expect(streams.map(\.events) == [[.closed(status)], [.closed(status)], [.closed(status)]])
    for stream in streams {
      stream.call.wake()
      stream.call.finish()
      stream.call.closeConnection()
    }
    #expect(streams.map(\.events) == [[.closed(status)], [.closed(status)], [.closed(status)]])
  }

  /// A reader that never opens its window: what it pins is one message, whatever passes by.
  @Test func `a stopped reader is asked for one message and pins it alone`() throws {
    let server = MemorySession(.server, methods: [recording])
    try server.receive(Wire.preface + Wire.settings + Wire.request())
    _ = try server.written()
    let stream = try #require(server.stream(1))
    let version = OutboundMessage(String(repeating: "v", count: 40_000))
    for _ in 0..<1000 {
      stream.outgoing = [version]
      stream.call.wake()
      _ = try server.written()
    }
    // 65,535 bytes of window: one message whole and a part of the second.
    #expect(stream.pulls == 4)  // at open, both messages, and once more between them
    #expect(stream.call.pendingBytes == 2 * 40_005 - 65_535)
    #expect(stream.outgoing.count == 1)
    // The window opens: the rest of the old message, then the newest.
    stream.outgoing = [OutboundMessage("newest")]
    try server.receive(Wire.frame(.windowUpdate, stream: 0, Wire.bigEndian(100_000, 4)))
    try server.receive(Wire.frame(.windowUpdate, stream: 1, Wire.bigEndian(100_000, 4)))
    let data = Wire.frames(try server.written()).filter { $0.type == .data }.flatMap(\.payload)
    #expect(
      data == Array(repeating: UInt8(ascii: "v"), count: 2 * 40_005 - 65_535)
        + [0, 0, 0, 0, 6] + Array("newest".utf8))
  }

  private let recording = TestMethod { call throws(GRPCStatus) in RecordingStream(call) }

  private let narrow = {
    var limits = HTTP2Limits()
    limits.streamWindow = 65_535
    limits.connectionWindow = 65_535
    return limits
  }()
}
