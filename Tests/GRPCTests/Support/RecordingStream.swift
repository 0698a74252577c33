// SPDX-License-Identifier: Apache-2.0

import GRPC
import NIOCore

/// What a stream was told, in order.
enum StreamEvent: Equatable {
  case message(String)
  case end
  case closed(GRPCStatus)
}

/// A stream that writes down what happens and sends what it was given.
final class RecordingStream: GRPCStream {
  let call: GRPCCall
  var outgoing: [OutboundMessage]
  var echoes = false
  var endsWith: GRPCStatus?
  var halfCloses = false
  private(set) var events: [StreamEvent] = []
  private(set) var pulls = 0
  private let whenClosed: (RecordingStream) -> Void

  init(
    _ call: GRPCCall, outgoing: [OutboundMessage] = [],
    whenClosed: @escaping (RecordingStream) -> Void = { _ in }
  ) {
    self.call = call
    self.outgoing = outgoing
    self.whenClosed = whenClosed
  }

  func send(_ text: String) {
    outgoing.append(OutboundMessage(text))
    call.wake()
  }

  func receive(_ message: ByteBuffer) {
    events.append(.message(String(buffer: message)))
    if echoes {
      outgoing.append(OutboundMessage(prefix: ByteBuffer(string: "echo "), shared: message))
      call.wake()
    }
  }

  func receiveEnd() {
    events.append(.end)
    if let endsWith { call.finish(endsWith) }
  }

  func nextMessage() -> OutboundMessage? {
    pulls += 1
    if outgoing.isEmpty {
      if halfCloses { call.halfClose() }
      return nil
    }
    return outgoing.removeFirst()
  }

  func closed(_ status: GRPCStatus) {
    events.append(.closed(status))
    whenClosed(self)
  }
}

extension OutboundMessage {
  init(_ text: String) {
    self.init(shared: ByteBuffer(string: text))
  }
}

/// A method whose streams a test makes.
struct TestMethod: GRPCMethod {
  let path: String
  let make: @Sendable (GRPCCall) throws(GRPCStatus) -> any GRPCStream

  init(
    _ path: String = "/test.Test/Echo",
    make: @escaping @Sendable (GRPCCall) throws(GRPCStatus) -> any GRPCStream
  ) {
    self.path = path
    self.make = make
  }

  func open(_ call: GRPCCall) throws(GRPCStatus) -> any GRPCStream { try make(call) }

  /// Sends every message back with "echo " before it, and ends ok when the client ends.
  static let echo = TestMethod { call throws(GRPCStatus) in
    let stream = RecordingStream(call)
    stream.echoes = true
    stream.endsWith = .ok
    return stream
  }
}
