// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import NIOEmbedded
import Testing

@Suite struct HealthServiceTests {
  private let serving = StreamEvent.message("\u{8}\u{1}")
  private let notServing = StreamEvent.message("\u{8}\u{2}")
  private let serviceUnknown = StreamEvent.message("\u{8}\u{3}")

  private func ask(_ service: String) -> OutboundMessage {
    OutboundMessage(
      service.isEmpty ? "" : "\n\(UnicodeScalar(UInt8(service.utf8.count)))\(service)")
  }

  @Test func `Check answers once`() throws {
    let health = HealthService()
    health.set(.notServing, for: "ads")
    let pair = SessionPair(methods: health.methods)
    let streams = try ["", "ads", "none"].map { service in
      try pair.open("/grpc.health.v1.Health/Check") { stream in
        stream.outgoing = [ask(service)]
        stream.halfCloses = true
      }
    }
    try pair.exchange()
    #expect(
      streams.map(\.events) == [
        [serving, .closed(.ok)], [notServing, .closed(.ok)],
        [.closed(GRPCStatus(.notFound, "unknown service none"))],
      ])
  }

  @Test func `Watch answers at once and at every change`() throws {
    let health = HealthService()
    let pair = SessionPair(methods: health.methods)
    let stream = try pair.open("/grpc.health.v1.Health/Watch") { $0.outgoing = [ask("ads")] }
    try pair.exchange()
    #expect(stream.events == [serviceUnknown])
    for status in [HealthService.ServingStatus.serving, .serving, .notServing] {
      health.set(status, for: "ads")
      health.set(.notServing)  // not what this one watches
      pair.loop.run()
      try pair.exchange()
    }
    #expect(stream.events == [serviceUnknown, serving, notServing])
    stream.call.finish(GRPCStatus(.cancelled))
    try pair.exchange()
    health.set(.serving, for: "ads")
    pair.loop.run()
    #expect(stream.events.last == .closed(GRPCStatus(.cancelled)))
  }

  @Test(
    arguments: [
      ([], ""), ([0x0a, 0x03, 0x61, 0x64, 0x73], "ads"),
      ([0x10, 0x05, 0x0a, 0x01, 0x61, 0x1a, 0x01, 0x62, 0x25, 1, 2, 3, 4], "a"),
      ([0x0a, 0x03, 0x61], nil), ([0x0a], nil), ([0x0b], nil), ([0x0a, 0x01, 0xff], nil),
      ([UInt8](repeating: 0xff, count: 12), nil), ([0x19, 1, 2], nil),
    ] as [([UInt8], String?)])
  func `requests are read with care`(_ bytes: [UInt8], _ name: String?) {
    #expect(HealthMessages.serviceName(in: ByteBuffer(bytes: bytes)) == name)
  }
}
