// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import EnvoyAPI
import GRPC
import Logging
import MeshModel
import MeshTesting
import NIOCore
import SwiftProtobuf
import XDS
import XDSServer

/// A client of an `ADSServer` over gRPC on a socket, as the peer of a script.
///
/// What "nothing comes" means is decided without waiting: the peer asks for one more resource of a
/// type that comes last in push order. Had the server anything else to say, that would come before.
struct LoopbackPeer: ADSScriptPeer {
  private static let path =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
  private static let sentinel = TypeURL(rawValue: "type.googleapis.com/google.protobuf.Empty")
  private static let sentinels = (0..<200).map {
    EncodedResource(typeURL: sentinel, name: "s\($0)", bytes: [UInt8($0)], origins: [])
  }

  private let server: RunningServer
  private var client: GRPCClient
  private var stream: NIOLoopBound<RecordingStream>
  private var answers: AsyncThrowingStream<RecordingStream.Answer, any Error>.Iterator
  private var isFirstRequest = true
  private var sentinelCount = 0
  private var sentinelNonce = ""

  init(server: RunningServer) async throws {
    self.server = server
    (client, stream, answers) = try await Self.connect(to: server)
  }

  mutating func publish(_ resources: [TypeURL: [EncodedResource]]) async throws {
    await server.publish(resources.merging([Self.sentinel: Self.sentinels]) { $1 })
  }

  mutating func reconnect() async throws {
    try await close()
    (client, stream, answers) = try await Self.connect(to: server)
    (isFirstRequest, sentinelCount, sentinelNonce) = (true, 0, "")
  }

  mutating func send(_ request: DiscoveryRequest) async throws {
    try await send(
      .with {
        $0.typeURL = request.typeURL.rawValue
        $0.versionInfo = request.versionInfo
        $0.resourceNames = request.resourceNames
        $0.responseNonce = request.responseNonce?.rawValue ?? ""
        if let text = request.errorDetail { $0.errorDetail.message = text }
      })
  }

  mutating func report(_ resource: EncodedResource, failure: String?) async throws {
    let report = Skiff_Agent_V1_WasmModuleReport.with {
      $0.modules = [
        .with {
          $0.typeURL = resource.typeURL.rawValue
          $0.resource = resource.name
          $0.resourceVersion = "\(resource.version)"
          $0.phase = failure == nil ? .ready : .failed
          $0.refused = failure != nil
          $0.error = failure ?? ""
        }
      ]
    }
    try await send(
      .with {
        $0.typeURL = "type.googleapis.com/\(Skiff_Agent_V1_WasmModuleReport.protoMessageName)"
        $0.errorDetail.details = [try Google_Protobuf_Any(message: report)]
      })
  }

  mutating func receive(expected: Bool) async throws -> ADSScript.Answer? {
    if !expected { try await askForSentinel() }
    guard let answer = try await answers.next(isolation: #isolation) else { return nil }
    guard answer.typeURL == Self.sentinel.rawValue else { return Self.script(answer) }
    sentinelNonce = answer.nonce
    return nil
  }

  func status(of typeURL: TypeURL) async throws -> String? {
    let newest = await server.ads.clients().max { $0.connectedAt < $1.connectedAt }
    return newest?.types.first { $0.typeURL == typeURL }?.status.rawValue
  }

  func close() async throws {
    client.close()
    try await client.closeFuture.get()
  }

  private mutating func askForSentinel() async throws {
    sentinelCount += 1
    let (names, nonce) = ((0..<sentinelCount).map { "s\($0)" }, sentinelNonce)
    try await send(
      .with {
        $0.typeURL = Self.sentinel.rawValue
        $0.resourceNames = names
        $0.responseNonce = nonce
      })
  }

  private mutating func send(_ request: RecordingStream.Request) async throws {
    var request = request
    if isFirstRequest {
      request.node.id = "router~10.0.0.1~gw.default~default.svc.cluster.local"
      isFirstRequest = false
    }
    try await client.eventLoop.submit { [stream, request] in stream.value.send(request) }.get()
  }

  private static func script(_ answer: RecordingStream.Answer) -> ADSScript.Answer {
    ADSScript.Answer(
      typeURL: TypeURL(rawValue: answer.typeURL), versionInfo: answer.versionInfo,
      nonce: Nonce(rawValue: answer.nonce),
      resources: answer.resources.map { String(decoding: $0.value, as: UTF8.self) })
  }

  private static func connect(
    to server: RunningServer
  ) async throws -> (
    GRPCClient, NIOLoopBound<RecordingStream>,
    AsyncThrowingStream<RecordingStream.Answer, any Error>.Iterator
  ) {
    let client = try await GRPCClient.connect(
      to: .tcp(host: "127.0.0.1", port: server.port), on: server.group.next(),
      logger: Logger(label: "test"))
    let (answers, continuation) = AsyncThrowingStream.makeStream(of: RecordingStream.Answer.self)
    let stream = try await client.eventLoop.submit {
      var made: RecordingStream?
      _ = try client.open(path) { call in
        let stream = RecordingStream(call: call, answers: continuation)
        made = stream
        return stream
      }
      guard let made else { preconditionFailure("open must make the stream before it returns") }
      return NIOLoopBound(made, eventLoop: client.eventLoop)
    }
    .get()
    return (client, stream, answers.makeAsyncIterator())
  }
}
