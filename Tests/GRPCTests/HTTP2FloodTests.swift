// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import Testing

/// Peers that cost us more than they spend; each ends with its connection and with bounded memory.
@Suite struct HTTP2FloodTests {
  private let recording = TestMethod { call throws(GRPCStatus) in RecordingStream(call) }

  /// Sends `attack` again and again, reading nothing back, until the server has had enough.
  ///
  /// - Returns: How often it was taken, and the error code of the GOAWAY; nil for a plain close.
  private func survive(
    _ count: Int, reads: Bool = true, _ attack: (UInt32) -> [UInt8]
  ) throws -> (taken: Int, errorCode: UInt32?) {
    let server = MemorySession(.server, methods: [recording])
    try server.receive(Wire.preface + Wire.settings)
    for number in 0..<count {
      do {
        try server.receive(attack(UInt32(number)))
      } catch {
        return (number, nil)
      }
      if reads {
        let goAway = Wire.frames(try server.written()).last { $0.type == .goAway }
        if let goAway { return (number, goAway.errorCode) }
      }
      #expect(server.session.calls.count <= 100)
    }
    return (count, nil)
  }

  private let enhanceYourCalm: UInt32 = 11
  private let protocolError: UInt32 = 1
  private let internalError: UInt32 = 2

  @Test func `PING flood`() throws {
    let result = try survive(100_000) { _ in Wire.frame(.ping, Wire.bigEndian(1, 8)) }
    #expect(result.errorCode == enhanceYourCalm)
    #expect(result.taken < 3000)
  }

  @Test func `PING flood of a peer that reads nothing`() throws {
    let result = try survive(100_000, reads: false) { _ in Wire.frame(.ping, Wire.bigEndian(1, 8)) }
    #expect(result.taken < 3000)
  }

  @Test func `SETTINGS flood`() throws {
    let result = try survive(100_000) { _ in Wire.settings }
    #expect(result.errorCode == enhanceYourCalm)
    #expect(result.taken < 3000)
  }

  @Test func `empty DATA flood`() throws {
    let result = try survive(100_000) { number in
      number == 0 ? Wire.request() : Wire.frame(.data, stream: 1)
    }
    #expect(result.errorCode == enhanceYourCalm)
    #expect(result.taken < 3000)
  }

  @Test func `rapid reset`() throws {
    let result = try survive(100_000) { number in
      Wire.request(stream: 2 * number + 1)
        + Wire.frame(.resetStream, stream: 2 * number + 1, Wire.bigEndian(8, 4))
    }
    #expect(result.errorCode == internalError)
    #expect(result.taken < 3000)
  }

  @Test func `streams that we are made to reset`() throws {
    let result = try survive(100_000) { number in
      Wire.request(stream: 2 * number + 1)
        + Wire.frame(.windowUpdate, stream: 2 * number + 1, Wire.bigEndian(0, 4))
    }
    #expect(result.errorCode != nil)
    #expect(result.taken < 3000)
  }

  @Test func `CONTINUATION flood`() throws {
    let server = MemorySession(.server, methods: [recording])
    try server.receive(Wire.preface + Wire.settings)
    var isRefused = false
    do {
      try server.receive(Wire.request(flags: 0))
      for _ in 0..<100 where !isRefused {
        try server.receive(Wire.frame(.continuation, stream: 1, Wire.headerBlock([("x-a", "b")])))
        isRefused = Wire.frames(try server.written()).contains { $0.type == .goAway }
      }
    } catch {
      isRefused = true
    }
    #expect(isRefused)
    #expect(server.session.calls.isEmpty)
  }

  @Test func `HPACK bomb`() throws {
    let server = MemorySession(.server, methods: [recording])
    // A field of 4,000 bytes goes into the table and is then named by one byte, 10,000 times.
    let value = String(repeating: "b", count: 3900)
    let indexed = [0x40] + Wire.headerBlock([("x-bomb", value)]).dropFirst()
    let block = indexed + [UInt8](repeating: 0xbe, count: 10_000)
    try server.receive(
      Wire.preface + Wire.settings
        + Wire.frame(.headers, flags: Wire.Flags.endHeaders, stream: 1, block))
    let goAway = Wire.frames(try server.written()).last { $0.type == .goAway }
    #expect(goAway?.errorCode == enhanceYourCalm)
    #expect(server.session.headerBlock.isEmpty)
    #expect(server.session.calls.isEmpty)
  }
}
