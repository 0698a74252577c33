// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import MeshTesting
import NIOCore
import Synchronization
import Testing

/// Mutated connections from a fixed seed: whatever comes in, the session neither traps nor forgets
/// to close a stream, nor closes one twice, nor keeps more than its limits.
@Suite struct HTTP2FuzzTests {
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `mutated requests`(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let original = try transcript()
    for _ in 0..<2500 {
      let opened = Counter()
      let closed = Counter()
      let method = TestMethod { call throws(GRPCStatus) in
        opened.increment()
        let stream = RecordingStream(call) { _ in closed.increment() }
        stream.echoes = true
        stream.endsWith = .ok
        return stream
      }
      let other = TestMethod("/test.Test/Other") { call throws(GRPCStatus) in
        try method.open(call)
      }
      let server = MemorySession(.server, methods: [method, other])
      var bytes = mutate(original, &random)[...]
      do {
        while !bytes.isEmpty {
          let count = min(bytes.count, Int.random(in: 1...400, using: &random))
          try server.receive(bytes.prefix(count))
          bytes = bytes.dropFirst(count)
          _ = try server.written()
          #expect(server.session.inboundBuffered >= 0)
          #expect(server.session.inboundBuffered <= server.session.limits.maxBufferedBytes)
        }
      } catch is HTTP2Session.Failure {
        // The connection is closed, as it should be.
      }
      server.session.tearDown(GRPCStatus(.unavailable))
      #expect(opened.count == closed.count)
    }
  }

  @Test(arguments: [5, 6] as [UInt64])
  func `mutated responses`(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let recorded = SessionPair(methods: [TestMethod.echo])
    try open(in: recorded)
    let original = try recorded.exchange().server
    for _ in 0..<2500 {
      let pair = SessionPair(methods: [])
      let streams = try open(in: pair)
      _ = try pair.client.written()
      do {
        for part in mutate(original, &random).split(maxSplits: 5, whereSeparator: { $0 == 0x77 }) {
          try pair.client.receive(part)
          _ = try pair.client.written()
        }
      } catch is HTTP2Session.Failure {
        // As above.
      }
      pair.client.session.tearDown(GRPCStatus(.unavailable))
      for stream in streams {
        let ends = stream.events.filter { if case .closed = $0 { true } else { false } }
        #expect(ends.count == 1)
        #expect(stream.events.last == ends.last)
      }
    }
  }

  @discardableResult
  private func open(in pair: SessionPair) throws -> [RecordingStream] {
    try ["one", "two", "three"].map { text in
      try pair.open(headers: [("x-label", text)], timeout: .seconds(10)) { stream in
        stream.outgoing = [OutboundMessage(text), OutboundMessage(text + text)]
        stream.halfCloses = true
      }
    }
  }

  /// What a client sends for three calls, and some frames beside them.
  private func transcript() throws -> [UInt8] {
    let pair = SessionPair(methods: [TestMethod.echo])
    try open(in: pair)
    return try pair.exchange().client + Wire.frame(.ping, Wire.bigEndian(7, 8))
      + Wire.request("/test.Test/Other", stream: 9) + Wire.message("hello", stream: 9)
      + Wire.frame(.resetStream, stream: 9, Wire.bigEndian(8, 4))
  }

  private func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    // Mostly behind the preface, because a broken preface ends everything at once.
    let first = Int.random(in: 0..<50, using: &random) == 0 ? 0 : min(24, bytes.count - 1)
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let index = Int.random(in: first..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
      case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: index)
      case 3 where bytes.count > first + 1: bytes.remove(at: index)
      default:
        let end = min(bytes.count, index + Int.random(in: 1...60, using: &random))
        bytes.insert(contentsOf: Array(bytes[index..<end]), at: index)
      }
    }
    return bytes
  }
}

private final class Counter: Sendable {
  private let value = Atomic(0)

  var count: Int { value.load(ordering: .relaxed) }

  func increment() { value.add(1, ordering: .relaxed) }
}
