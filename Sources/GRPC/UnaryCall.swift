// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A client's side of a call with one message each way.
final class UnaryCall: GRPCStream {
  private let call: GRPCCall
  private var request: ByteBuffer?
  private var response: ByteBuffer?
  private let answer: EventLoopPromise<ByteBuffer>

  init(_ call: GRPCCall, _ request: ByteBuffer, answer: EventLoopPromise<ByteBuffer>) {
    self.call = call
    self.request = request
    self.answer = answer
  }

  func receive(_ message: ByteBuffer) {
    if response == nil {
      response = message
    } else {
      call.finish(GRPCStatus(.internalError, "more than one message in answer to a unary call"))
    }
  }

  func receiveEnd() {}

  func nextMessage() -> OutboundMessage? {
    guard let message = request else { return nil }
    request = nil
    call.halfClose()
    return OutboundMessage(shared: message)
  }

  func closed(_ status: GRPCStatus) {
    if status.code != .ok {
      answer.fail(status)
    } else if let response {
      answer.succeed(response)
    } else {
      answer.fail(GRPCStatus(.internalError, "no message in answer to a unary call"))
    }
  }
}
