// SPDX-License-Identifier: Apache-2.0

import Agent
import AgentAPI
import EnvoyAPI
import Foundation
import GRPC
import Logging
import MeshModel
import NIOCore
import NIOPosix
import Prometheus
import SwiftProtobuf
import Synchronization
import WasmModules

/// A relay between a control plane and an Envoy that the test plays, over sockets.
final class RunningRelay {
  let relay: ADSRelay
  let modules = FakeModules()
  let registry = MetricRegistry()
  private let directory: String
  private var upstreamCount = 0
  private let group = MultiThreadedEventLoopGroup.singleton
  private let logger: Logger

  /// The lines of the log, message and metadata.
  let log = LogLines()

  private init(mode: WasmFailureMode) {
    directory = "/tmp/skiff-\(UInt32.random(in: 0..<(.max)))"
    let lines = log
    logger = Logger(label: "test") { _ in lines }
    var configuration = ADSRelay.Configuration(upstream: .unix(path: directory + "/up"))
    configuration.mode = mode
    configuration.random = { 0.5 }
    configuration.reconnect = Backoff(initial: .milliseconds(1), cap: .milliseconds(10))
    configuration.retry = Backoff(initial: .milliseconds(1), cap: .milliseconds(1))
    configuration.state.answerPatience = .seconds(3600)
    relay = ADSRelay(
      configuration: configuration, provider: modules, metrics: AgentMetrics(in: registry),
      logger: logger, unixTime: { .seconds(1_000_000) })
  }

  /// Relays while `body` runs.
  static func with(
    mode: WasmFailureMode = .reject, _ body: (RunningRelay) async throws -> Void
  ) async throws {
    let running = RunningRelay(mode: mode)
    try FileManager.default.createDirectory(
      atPath: running.directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: running.directory) }
    let server = try await running.server("/xds", running.relay.methods)
    let relay = running.relay
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await relay.run() }
      tasks.addTask { try await server.run() }
      try await body(running)
      tasks.cancelAll()
    }
  }

  /// A control plane that listens already: new connections are its own.
  struct BoundUpstream {
    let upstream: FakeUpstream
    fileprivate let server: GRPCServer
  }

  func bindUpstream() async throws -> BoundUpstream {
    let upstream = FakeUpstream()
    upstreamCount += 1
    let server = try await server("/up\(upstreamCount)", [upstream])
    try? FileManager.default.removeItem(atPath: directory + "/up")
    try FileManager.default.createSymbolicLink(
      atPath: directory + "/up", withDestinationPath: directory + "/up\(upstreamCount)")
    return BoundUpstream(upstream: upstream, server: server)
  }

  /// A control plane serves while `body` runs, then it drains.
  func withUpstream(
    _ bound: BoundUpstream? = nil, _ body: (FakeUpstream) async throws -> Void
  ) async throws {
    let bound = if let bound { bound } else { try await bindUpstream() }
    let server = bound.server
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await server.run() }
      try await body(bound.upstream)
      tasks.cancelAll()
    }
  }

  func connectEnvoy() async throws -> FakeEnvoy {
    try await FakeEnvoy(
      GRPCClient.connect(to: .unix(path: directory + "/xds"), on: group.next(), logger: logger))
  }

  private func server(_ path: String, _ methods: [any GRPCMethod]) async throws -> GRPCServer {
    var configuration = GRPCServer.Configuration(
      listeners: [GRPCListener(.unix(path: directory + path))])
    configuration.drainTime = .milliseconds(1)
    configuration.lifetime.closeGrace = .milliseconds(10)
    let server = GRPCServer(
      configuration: configuration, methods: methods, group: group, logger: logger)
    _ = try await server.bind()
    return server
  }
}

/// What was logged.
struct LogLines: LogHandler {
  private final class Lines: Sendable { let all = Mutex<[String]>([]) }
  private let lines = Lines()
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  var text: [String] { lines.all.withLock { $0 } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    lines.all.withLock { $0.append(([("\(event.message)")] + fields).joined(separator: " ")) }
  }
}

/// An Envoy that says what the test says.
final class FakeEnvoy {
  private let client: GRPCClient
  private let peer: NIOLoopBound<EnvoyPeer>
  private var answers: AsyncStream<ByteBuffer>.Iterator

  init(_ client: GRPCClient) async throws {
    self.client = client
    let (answers, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
    peer = try await client.eventLoop.submit {
      var made: EnvoyPeer?
      try client.open(FakeUpstream().path) { call in
        let peer = EnvoyPeer(call: call, answers: continuation)
        made = peer
        return peer
      }
      guard let made else { preconditionFailure("open makes the stream before it returns") }
      return NIOLoopBound(made, eventLoop: client.eventLoop)
    }
    .get()
    self.answers = answers.makeAsyncIterator()
  }

  func send(
    _ typeURL: TypeURL, _ names: [String] = [], version: String = "", nonce: String = "",
    error: String? = nil
  ) {
    let request = ADSRequest.with {
      $0.node.id = "gw"
      $0.typeURL = typeURL.rawValue
      $0.resourceNames = names
      $0.versionInfo = version
      $0.responseNonce = nonce
      if let error { $0.errorDetail.message = error }
    }
    let message = ByteBuffer(bytes: request.deterministicBytes())
    client.eventLoop.execute { [peer] in peer.value.send(message) }
  }

  /// The next response; nil when the stream has ended.
  func next() async throws -> Answer? {
    try await answers.next(isolation: #isolation).map {
      try Answer(serializedBytes: Array(buffer: $0))
    }
  }

  /// `ECDS [a@1 file=/a]`.
  func nextText() async throws -> String? {
    guard let answer = try await next() else { return nil }
    let resources = try answer.resources.map(Resources.text).joined(separator: ", ")
    return "\(TypeURL(rawValue: answer.typeURL).label) [\(resources)]"
  }

  /// Accepts the next response.
  func accept(_ names: [String] = []) async throws -> String? {
    guard let answer = try await next() else { return nil }
    send(
      TypeURL(rawValue: answer.typeURL), names, version: answer.versionInfo, nonce: answer.nonce)
    let resources = try answer.resources.map(Resources.text).joined(separator: ", ")
    return "\(TypeURL(rawValue: answer.typeURL).label) [\(resources)]"
  }

  func close() async throws {
    client.close()
    try await client.closeFuture.get()
  }
}

private final class EnvoyPeer: GRPCStream {
  private let call: GRPCCall
  private let answers: AsyncStream<ByteBuffer>.Continuation
  private var pending: [ByteBuffer] = []

  init(call: GRPCCall, answers: AsyncStream<ByteBuffer>.Continuation) {
    self.call = call
    self.answers = answers
  }

  func send(_ message: ByteBuffer) {
    pending.append(message)
    call.wake()
  }

  func receive(_ message: ByteBuffer) { answers.yield(message) }
  func receiveEnd() {}
  func nextMessage() -> OutboundMessage? {
    pending.isEmpty ? nil : OutboundMessage(shared: pending.removeFirst())
  }
  func closed(_ status: GRPCStatus) { answers.finish() }
}
