// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import Testing

@Suite struct GRPCValueTests {
  @Test(
    arguments: [
      ("1n", 1), ("99999999n", 99_999_999), ("7u", 7_000), ("250m", 250_000_000),
      ("3S", 3_000_000_000), ("2M", 120_000_000_000), ("1H", 3_600_000_000_000),
      ("99999999H", Int64.max), ("0S", 0),
    ] as [(String, Int64)])
  func `timeouts are read`(_ text: String, _ nanoseconds: Int64) {
    #expect(GRPCTimeout.parse(text) == .nanoseconds(nanoseconds))
  }

  @Test(
    arguments: [
      (5, "5n"), (99_999_999, "99999999n"), (100_000_000, "100000u"), (100_000_001, "100001u"),
      (30_000_000_000, "30000000u"), (86_400_000_000_000, "86400000m"), (-5, "0n"),
      (Int64.max, "2562048H"),
    ] as [(Int64, String)])
  func `timeouts are written in the finest unit with room`(_ nanoseconds: Int64, _ text: String) {
    #expect(GRPCTimeout.format(.nanoseconds(nanoseconds)) == text)
  }

  @Test(arguments: [
    ("plain text", "plain text"), ("100 %", "100 %25"), ("a\nb\u{7f}", "a%0Ab%7F"),
    ("größe", "gr%C3%B6%C3%9Fe"), ("", ""),
  ])
  func `status messages are percent-encoded`(_ text: String, _ encoded: String) {
    #expect(GRPCStatus.percentEncode(text) == encoded)
    #expect(GRPCStatus.percentDecode(encoded) == text)
  }

  @Test(arguments: [("%", "%"), ("%4", "%4"), ("%zz%41", "%zzA"), ("%41%", "A%"), ("%c3%b6", "ö")])
  func `broken escapes stay as they are`(_ encoded: String, _ text: String) {
    #expect(GRPCStatus.percentDecode(encoded) == text)
  }

  @Test func `trailers carry a status there and back`() {
    for code in GRPCStatus.Code.allCases {
      let status = GRPCStatus(code, "wegen Öl")
      #expect(GRPCStatus(trailers: status.trailers) == status)
    }
    #expect(GRPCStatus(trailers: []) == nil)
    #expect(GRPCStatus(trailers: [("grpc-status", "17")]) == GRPCStatus(.unknown))
    #expect(GRPCStatus(trailers: [("grpc-status", "no")]) == GRPCStatus(.unknown))
  }

  @Test func `a bucket is empty after its burst and fills with time`() {
    var now = NIODeadline.uptimeNanoseconds(0)
    var budget = FrameBudget(burst: 3, perSecond: 10, now: now)
    func spend() -> Bool { budget.spend { now } }
    #expect([spend(), spend(), spend(), spend()] == [true, true, true, false])
    now = now + .milliseconds(200)
    #expect([spend(), spend(), spend()] == [true, true, false])
    now = now + .hours(1)
    #expect([spend(), spend(), spend(), spend()] == [true, true, true, false])
  }

  @Test func `keepalive pings a quiet peer once and then gives up`() {
    let start = NIODeadline.uptimeNanoseconds(0)
    var keepalive = Keepalive(interval: .seconds(30), timeout: .seconds(10), now: start)
    var actions: [String] = []
    for second in 0...55 {
      let action = keepalive.check(at: start + .seconds(Int64(second)), heard: second == 12)
      if action != .none { actions.append("\(second) \(action)") }
      if action == .drop { break }
    }
    #expect(actions == ["42 ping", "52 drop"])
  }

  @Test func `long shared bytes are sent by reference and short ones are copied`() {
    let shared = ByteBuffer(repeating: 1, count: 20_000)
    let message = OutboundMessage(prefix: ByteBuffer(string: "nonce"), shared: shared)
    let sink = FrameSink()
    message.write(0..<16_384, to: sink)
    message.write(16_384..<message.wireSize, to: sink)
    #expect(sink.count == message.wireSize)
    var (parts, bytes): ([ByteBuffer], [UInt8]) = ([], [])
    sink.drain { parts.append($0) }
    for part in parts { bytes += part.readableBytesView }
    #expect(bytes == [0, 0, 0, 0x4e, 0x25] + Array("nonce".utf8) + Array(shared.readableBytesView))
    #expect(parts.map(\.readableBytes) == [10, 16_374, 3_626])
    let base = shared.withUnsafeReadableBytes(\.baseAddress)
    #expect(parts[1].withUnsafeReadableBytes(\.baseAddress) == base)
  }

  @Test func `a message is the same cut anywhere`() {
    let message = OutboundMessage(
      prefix: ByteBuffer(string: "abc"), shared: ByteBuffer(string: "defgh"))
    let whole: [UInt8] = [0, 0, 0, 0, 8] + Array("abcdefgh".utf8)
    for cut in 0...message.wireSize {
      let sink = FrameSink()
      message.write(0..<cut, to: sink)
      message.write(cut..<message.wireSize, to: sink)
      var bytes: [UInt8] = []
      sink.drain { bytes += $0.readableBytesView }
      #expect(bytes == whole, "cut at \(cut)")
    }
  }
}
