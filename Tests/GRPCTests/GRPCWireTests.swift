// SPDX-License-Identifier: Apache-2.0

@testable import GRPC  // check:allow, the core without sockets is nobody's neighbour
import NIOCore
import Testing

@Suite struct GRPCWireTests {
  private let recording = TestMethod { call throws(GRPCStatus) in RecordingStream(call) }

  /// What a server answers on stream 1: header blocks, and the other frames' types.
  private func answer(
    to bytes: [UInt8], limits: HTTP2Limits = HTTP2Limits()
  ) throws -> (headers: [[String]], types: [Wire.FrameType]) {
    let server = MemorySession(.server, methods: [recording], limits: limits)
    try server.receive(Wire.preface + Wire.settings + bytes)
    let frames = Wire.frames(try server.written()).filter { $0.stream == 1 }
    return (Wire.headerLines(frames), frames.map(\.type))
  }

  private let head = [":status: 200", "content-type: application/grpc"]

  @Test(arguments: [
    "application/json", "application/grpc-web", "application/grpc-web+proto", "text/plain", nil,
  ])
  func `a content type that is not gRPC gets HTTP 415`(_ contentType: String?) throws {
    let answer = try answer(to: Wire.request(contentType: contentType))
    #expect(answer.headers == [[":status: 415", "accept-post: application/grpc"]])
    #expect(answer.types == [.headers, .resetStream])
  }

  @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc;v=1"])
  func `gRPC content types are accepted`(_ contentType: String) throws {
    #expect(try answer(to: Wire.request(contentType: contentType)).headers == [head])
  }

  @Test func `another HTTP method gets HTTP 405`() throws {
    #expect(
      try answer(to: Wire.request(method: "PUT")).headers == [[":status: 405", "allow: POST"]])
  }

  @Test func `an unknown method is unimplemented`() throws {
    #expect(
      try answer(to: Wire.request("/a.B/c")).headers
        == [head + ["grpc-status: 12", "grpc-message: unknown method /a.B/c"]])
  }

  @Test func `an unknown encoding is unimplemented and told what is there`() throws {
    #expect(
      try answer(to: Wire.request(fields: [("grpc-encoding", "zstd")])).headers == [
        head + [
          "grpc-status: 12", "grpc-message: grpc-encoding zstd is not supported",
          "grpc-accept-encoding: identity",
        ]
      ])
  }

  @Test(arguments: ["", "5", "S", "123456789S", "-1S", "1x", "1.5S"])
  func `a malformed timeout is an internal error`(_ timeout: String) throws {
    #expect(
      try answer(to: Wire.request(fields: [("grpc-timeout", timeout)])).headers
        == [head + ["grpc-status: 13", "grpc-message: malformed grpc-timeout \(timeout)"]])
  }

  @Test func `a compressed message without an encoding is an internal error`() throws {
    let answer = try answer(to: Wire.request() + Wire.message("x", flag: 1))
    #expect(
      answer.headers == [
        head, ["grpc-status: 13", "grpc-message: a compressed message without a grpc-encoding"],
      ])
    #expect(answer.types == [.headers, .headers, .resetStream])
  }

  @Test func `a compression flag that does not exist is an internal error`() throws {
    #expect(
      try answer(to: Wire.request() + Wire.message("x", flag: 2)).headers
        == [head, ["grpc-status: 13", "grpc-message: compression flag 2 is not 0 or 1"]])
  }

  @Test func `a message over the limit is refused by its length alone`() throws {
    let length = Wire.frame(.data, stream: 1, [0, 0xff, 0xff, 0xff, 0xff])
    #expect(
      try answer(to: Wire.request() + length).headers == [
        head,
        [
          "grpc-status: 8",
          "grpc-message: a message of 4294967295 bytes is larger than the limit of 4194304",
        ],
      ])
  }

  @Test func `a stream that ends inside a message is an internal error`() throws {
    let half = Wire.frame(.data, flags: Wire.Flags.endStream, stream: 1, [0, 0, 0, 0, 9, 1])
    #expect(
      try answer(to: Wire.request() + half).headers
        == [head, ["grpc-status: 13", "grpc-message: the stream ended inside a message"]])
  }

  @Test func `unfinished messages together have a limit`() throws {
    var limits = HTTP2Limits()
    limits.maxBufferedBytes = 20_000
    let server = MemorySession(.server, methods: [recording], limits: limits)
    try server.receive(Wire.preface + Wire.settings)
    for stream in [1, 3, 5] as [UInt32] {
      try server.receive(Wire.request(stream: stream))
      let part = [0] + Wire.bigEndian(100_000, 4) + [UInt8](repeating: 1, count: 9_000)
      try server.receive(Wire.frame(.data, stream: stream, part))
    }
    #expect(server.session.inboundBuffered == 18_000)
    let frames = Wire.frames(try server.written()).filter { $0.stream == 5 }
    #expect(frames.map(\.type) == [.headers, .headers, .resetStream])
    #expect(server.session.calls.keys.sorted() == [1, 3])
  }

  @Test func `a header over the limit is refused, and the connection goes on`() throws {
    var limits = HTTP2Limits()
    limits.maxHeaderListSize = 8192
    let large = (0..<12).map { ("x-\($0)", String(repeating: "v", count: 1000)) }
    #expect(
      try answer(to: Wire.request(fields: large), limits: limits).headers == [
        head + [
          "grpc-status: 8",
          "grpc-message: the request's header is larger than 8192 bytes",
        ]
      ])
  }
}
