// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import NIOEmbedded

/// A session without a socket, and what it would have written.
final class MemorySession {
  let loop: EmbeddedEventLoop
  let session: HTTP2Session
  private(set) var streams: [RecordingStream] = []

  init(
    _ role: HTTP2Session.Role, methods: [any GRPCMethod] = [],
    limits: HTTP2Limits = HTTP2Limits(), loop: EmbeddedEventLoop = EmbeddedEventLoop()
  ) {
    self.loop = loop
    session = HTTP2Session(
      role, limits: limits, methods: Dictionary(methods.map { ($0.path, $0) }) { $1 },
      callbacks: NGHTTP2Callbacks(), sink: FrameSink(), eventLoop: loop)
  }

  deinit {
    session.tearDown(GRPCStatus(.unavailable, "the test is over"))
  }

  /// The streams that a server session has opened, seen through their calls.
  func stream(_ id: Int32) -> RecordingStream? {
    session.calls[id]?.stream as? RecordingStream
  }

  func receive(_ bytes: some Sequence<UInt8>) throws {
    try Array(bytes).withUnsafeBytes { try session.receive($0) }
  }

  /// Everything that the session wants to write now, as a socket that takes all would get it.
  func written() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      session.settle()
      try session.gather()
      guard session.sink.count > 0 else { return bytes }
      session.sink.drain { bytes += $0.readableBytesView }
      session.sink.reset(isPinned: false)
      session.flushed()
    }
  }
}

/// A client and a server session joined by memory.
final class SessionPair {
  let loop = EmbeddedEventLoop()
  let client: MemorySession
  let server: MemorySession

  init(
    methods: [any GRPCMethod], limits: HTTP2Limits = HTTP2Limits(),
    clientLimits: HTTP2Limits = HTTP2Limits()
  ) {
    server = MemorySession(.server, methods: methods, limits: limits, loop: loop)
    client = MemorySession(.client, limits: clientLimits, loop: loop)
  }

  /// Carries bytes both ways until both sides are quiet.
  ///
  /// - Returns: What the client and the server have written.
  @discardableResult
  func exchange() throws -> (client: [UInt8], server: [UInt8]) {
    var (fromClient, fromServer): ([UInt8], [UInt8]) = ([], [])
    while true {
      let toServer = try client.written()
      try server.receive(toServer)
      let toClient = try server.written()
      try client.receive(toClient)
      fromClient += toServer
      fromServer += toClient
      if toServer.isEmpty, toClient.isEmpty { return (fromClient, fromServer) }
    }
  }

  func open(
    _ path: String = "/test.Test/Echo", headers: HeaderList = [], timeout: TimeAmount? = nil,
    _ configure: (RecordingStream) -> Void = { _ in }
  ) throws -> RecordingStream {
    var opened: RecordingStream?
    let call = try client.session.request(
      path, scheme: "http", authority: "test", headers: headers, timeout: timeout
    ) { call in
      let stream = RecordingStream(call)
      configure(stream)
      opened = stream
      return stream
    }
    guard let opened else { throw GRPCStatus(.internalError, "no stream for call \(call.id)") }
    return opened
  }
}
