// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A small HTTP/1 server on loopback that answers as it is told, misbehaviour included.
final class TestServer: Sendable {
  struct Request: Sendable, Equatable {
    var method: String
    var target: String
    var headers: [String: String]
    var body: String

    var path: String { String(target.prefix { $0 != "?" }) }
  }

  enum Answer: Sendable {
    case respond(status: Int, headers: [(String, String)] = [], body: [UInt8] = [])
    /// The body in chunks, without a length.
    case chunked([[UInt8]])
    /// Announces the whole body, sends a part, closes.
    case truncated([UInt8], after: Int)
    /// Announces a length and sends nothing of it.
    case announced(Int)
    /// Never answers.
    case hang
    /// Sends a part and then nothing more.
    case stall([UInt8], after: Int)
    /// Closes without an answer.
    case close

    static func ok(_ body: [UInt8]) -> Answer { .respond(status: 200, body: body) }
    static func status(_ status: Int) -> Answer { .respond(status: status) }
    static func redirect(_ location: String, status: Int = 302) -> Answer {
      .respond(status: status, headers: [("location", location)])
    }
  }

  typealias Script = @Sendable (Request) -> Answer

  private let channel: any Channel
  private let record: TestBox<[Request]>
  private let arrivals: AsyncStream<Request>

  let port: Int
  var requests: [Request] { record.withLock { $0 } }

  /// The next request that arrives; those before count, too.
  func nextRequest() async -> Request? {
    for await request in arrivals { return request }
    return nil
  }

  private init(channel: any Channel, record: Recorder) {
    self.channel = channel
    port = channel.localAddress?.port ?? 0
    self.record = record.requests
    arrivals = record.stream
  }

  static func start(isTLS: Bool = false, _ script: @escaping Script) async throws -> TestServer {
    let recorder = Recorder()
    let tls = try isTLS ? NIOSSLContext(configuration: tlsConfiguration()) : nil
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
          try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
          try pipeline.addHandler(Responder(script: script, recorder: recorder))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return TestServer(channel: channel, record: recorder)
  }

  /// Answers in turn, the last one for ever.
  static func start(isTLS: Bool = false, _ answers: [Answer]) async throws -> TestServer {
    let left = TestBox(answers[...])
    return try await start(isTLS: isTLS) { _ in
      left.withLock { $0.count > 1 ? $0.removeFirst() : $0[$0.startIndex] }
    }
  }

  func stop() async { try? await channel.close() }

  private static func tlsConfiguration() throws -> TLSConfiguration {
    let certificates = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.server.utf8))
    return .makeServerConfiguration(
      certificateChain: certificates.map { .certificate($0) },
      privateKey: .privateKey(
        try NIOSSLPrivateKey(bytes: Array(TestCertificates.serverKey.utf8), format: .pem)))
  }
}

/// A value behind a lock that closures can share.
final class TestBox<Value: Sendable>: Sendable {
  private let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
  func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    value.withLock { value in
      var copy = value
      defer { value = copy }
      return body(&copy)
    }
  }
}

private final class Recorder: Sendable {
  let requests = TestBox<[TestServer.Request]>([])
  let stream: AsyncStream<TestServer.Request>
  private let continuation: AsyncStream<TestServer.Request>.Continuation
  init() { (stream, continuation) = AsyncStream.makeStream() }
  func note(_ request: TestServer.Request) {
    requests.withLock { $0.append(request) }
    continuation.yield(request)
  }
}

private final class Responder: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let script: TestServer.Script
  private let recorder: Recorder
  private var request: TestServer.Request?

  init(script: @escaping TestServer.Script, recorder: Recorder) {
    self.script = script
    self.recorder = recorder
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      let headers = Dictionary(
        head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { "\($0), \($1)" })
      request = .init(method: head.method.rawValue, target: head.uri, headers: headers, body: "")
    case .body(let body): request?.body += String(buffer: body)
    case .end:
      guard let request else { return }
      recorder.note(request)
      answer(script(request), context: context)
    }
  }

  private func answer(_ answer: TestServer.Answer, context: ChannelHandlerContext) {
    switch answer {
    case .hang: break
    case .close: context.close(promise: nil)
    case .respond(let status, let headers, let body):
      send(status, headers, length: body.count, [body], context: context)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    case .chunked(let chunks):
      send(200, [("transfer-encoding", "chunked")], length: nil, chunks, context: context)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    case .truncated(let body, let count):
      send(200, [], length: body.count, [Array(body[..<count])], context: context)
      context.close(promise: nil)
    case .stall(let body, let count):
      send(200, [], length: body.count, [Array(body[..<count])], context: context)
    case .announced(let length): send(200, [], length: length, [], context: context)
    }
  }

  private func send(
    _ status: Int, _ headers: [(String, String)], length: Int?, _ chunks: [[UInt8]],
    context: ChannelHandlerContext
  ) {
    var head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: status), headers: HTTPHeaders(headers))
    if let length { head.headers.add(name: "content-length", value: "\(length)") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    for chunk in chunks where !chunk.isEmpty {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: chunk)))), promise: nil)
    }
    context.flush()
  }
}
