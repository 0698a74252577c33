// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import EnvoyAPI
import GRPC
import Logging
import MeshModel
import NIOCore
import SwiftProtobuf
import Synchronization

/// A control plane whose every word is the test's: streams as they come, requests as they come.
struct FakeUpstream: GRPCMethod {
  enum Event: Sendable {
    case opened
    case request(ADSRequest)
    case closed

    /// A request as `RelayScript` writes it; a report as one word for each module.
    var text: String {
      switch self {
      case .opened: return "opened"
      case .closed: return "closed"
      case .request(let request):
        if let detail = request.errorDetail.details.first {
          let report = try? Skiff_Agent_V1_WasmModuleReport(serializedBytes: detail.value)
          let modules = report?.modules ?? []
          return modules.map { "\($0.resource) \($0.phase)" }.joined(separator: ", ")
        }
        var words = ["\(TypeURL(rawValue: request.typeURL).label)"] + request.resourceNames
        if !request.versionInfo.isEmpty { words.append("version=\(request.versionInfo)") }
        if !request.responseNonce.isEmpty { words.append("nonce=\(request.responseNonce)") }
        if request.hasErrorDetail { words.append("error=\(request.errorDetail.message)") }
        return words.joined(separator: " ")
      }
    }
  }

  let path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
  let events: AsyncStream<Event>
  private let continuation: AsyncStream<Event>.Continuation
  private let streams = Streams()

  /// The open streams, by the order in which they came.
  private final class Streams: Sendable {
    let all = Mutex<[NIOLoopBound<Peer>]>([])
  }

  init() { (events, continuation) = AsyncStream.makeStream() }

  func open(_ call: GRPCCall) -> any GRPCStream {
    let continuation = continuation
    let peer = Peer(call: call) { continuation.yield($0) }
    streams.all.withLock { $0.append(NIOLoopBound(peer, eventLoop: call.eventLoop)) }
    continuation.yield(.opened)
    return peer
  }

  /// So many events, as they come.
  func next(_ count: Int = 1) async -> [String] {
    var texts: [String] = []
    var iterator = events.makeAsyncIterator()
    while texts.count < count, let event = await iterator.next(isolation: #isolation) {
      texts.append(event.text)
    }
    return texts
  }

  /// Sends on the newest stream.
  func send(_ message: ByteBuffer) {
    guard let peer = streams.all.withLock({ $0.last }) else { return }
    peer.eventLoop.execute { peer.value.send(message) }
  }

  /// Ends the newest stream.
  func end(_ status: GRPCStatus) {
    guard let peer = streams.all.withLock({ $0.last }) else { return }
    peer.eventLoop.execute { peer.value.call.finish(status) }
  }
}

/// One end of an ADS stream: sends what it is given, tells what comes.
final class Peer: GRPCStream {
  let call: GRPCCall
  private let tell: (FakeUpstream.Event) -> Void
  private var pending: [ByteBuffer] = []

  init(call: GRPCCall, tell: @escaping (FakeUpstream.Event) -> Void) {
    self.call = call
    self.tell = tell
  }

  func send(_ message: ByteBuffer) {
    pending.append(message)
    call.wake()
  }

  func receive(_ message: ByteBuffer) {
    if let request = try? ADSRequest(serializedBytes: Array(buffer: message)) {
      tell(.request(request))
    }
  }

  func receiveEnd() {}

  func nextMessage() -> OutboundMessage? {
    pending.isEmpty ? nil : OutboundMessage(shared: pending.removeFirst())
  }

  func closed(_ status: GRPCStatus) { tell(.closed) }
}
