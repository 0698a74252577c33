// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPC
import NIOCore
import SwiftProtobuf

/// The client's side of an ADS stream: sends what it is given, keeps what comes.
final class RecordingStream: GRPCStream {
  typealias Request = Envoy_Service_Discovery_V3_DiscoveryRequest
  typealias Answer = Envoy_Service_Discovery_V3_DiscoveryResponse

  private let call: GRPCCall
  private let answers: AsyncThrowingStream<Answer, any Error>.Continuation
  private var pending: [ByteBuffer] = []

  init(call: GRPCCall, answers: AsyncThrowingStream<Answer, any Error>.Continuation) {
    self.call = call
    self.answers = answers
  }

  func send(_ request: Request) {
    pending.append(ByteBuffer(bytes: request.deterministicBytes()))
    call.wake()
  }

  func receive(_ message: ByteBuffer) {
    do {
      answers.yield(try Answer(serializedBytes: Array(buffer: message)))
    } catch {
      answers.finish(throwing: error)
    }
  }

  func receiveEnd() {}

  func nextMessage() -> OutboundMessage? {
    pending.isEmpty ? nil : OutboundMessage(shared: pending.removeFirst())
  }

  func closed(_ status: GRPCStatus) { answers.finish(throwing: status) }
}
