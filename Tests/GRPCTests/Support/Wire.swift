// SPDX-License-Identifier: Apache-2.0

import CNGHTTP2

/// HTTP/2 frames made and read by hand, so that tests do not trust the library under test.
enum Wire {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  static let settings = frame(.settings)

  enum FrameType: UInt8 {
    case data, headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate
    case continuation
  }

  struct Flags {
    static let endStream: UInt8 = 1
    static let ack: UInt8 = 1
    static let endHeaders: UInt8 = 4
  }

  struct Frame: Equatable {
    var type: FrameType
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    /// The error code of a GOAWAY or RST_STREAM.
    var errorCode: UInt32 {
      let bytes = type == .goAway ? payload.dropFirst(4).prefix(4) : payload.prefix(4)
      return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  static func frame(
    _ type: FrameType, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []
  ) -> [UInt8] {
    bigEndian(payload.count, 3) + [type.rawValue, flags] + bigEndian(Int(stream), 4) + payload
  }

  static func bigEndian(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  /// A header block of literal fields without indexing (RFC 7541 §6.2.2).
  static func headerBlock(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { name, value in [0] + text(name) + text(value) }
  }

  private static func text(_ string: String) -> [UInt8] {
    let bytes = Array(string.utf8)
    guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
    var length: [UInt8] = [127]
    var rest = bytes.count - 127
    while rest >= 128 {
      length.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return length + [UInt8(rest)] + bytes
  }

  /// A request's HEADERS frame; fields given replace or join those of a good request.
  static func request(
    _ path: String = "/test.Test/Echo", stream: UInt32 = 1, flags: UInt8 = Flags.endHeaders,
    method: String = "POST", contentType: String? = "application/grpc",
    fields more: [(String, String)] = []
  ) -> [UInt8] {
    var fields = [
      (":method", method), (":scheme", "http"), (":path", path), (":authority", "test"),
      ("te", "trailers"),
    ]
    if let contentType { fields.append(("content-type", contentType)) }
    return frame(.headers, flags: flags, stream: stream, headerBlock(fields + more))
  }

  /// A gRPC message in a DATA frame.
  static func message(
    _ text: String, flag: UInt8 = 0, stream: UInt32 = 1, flags: UInt8 = 0
  ) -> [UInt8] {
    frame(
      .data, flags: flags, stream: stream,
      [flag] + bigEndian(text.utf8.count, 4) + Array(text.utf8))
  }

  /// Cuts what a peer has written into frames.
  static func frames(_ bytes: [UInt8]) -> [Frame] {
    var frames: [Frame] = []
    var rest = bytes[...]
    while rest.count >= 9 {
      let header = Array(rest.prefix(9))
      let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
      guard let type = FrameType(rawValue: header[3]) else { return frames }
      let stream = header[5...8].reduce(0) { $0 << 8 | UInt32($1) }
      rest = rest.dropFirst(9)
      frames.append(
        Frame(type: type, flags: header[4], stream: stream, payload: Array(rest.prefix(length))))
      rest = rest.dropFirst(length)
    }
    return frames
  }

  /// Decodes the header blocks of one direction in their order, as `name: value` lines.
  static func headerLines(_ frames: [Frame]) -> [[String]] {
    var inflater: OpaquePointer?
    nghttp2_hd_inflate_new(&inflater)
    defer { nghttp2_hd_inflate_del(inflater) }
    return frames.filter { $0.type == .headers }.map { frame in
      var lines: [String] = []
      var block = frame.payload[...]
      while true {
        var field = nghttp2_nv()
        var flags: CInt = 0
        let used = Array(block).withUnsafeBufferPointer {
          nghttp2_hd_inflate_hd2(inflater, &field, &flags, $0.baseAddress, $0.count, 1)
        }
        guard used >= 0 else { return ["broken header block"] }
        block = block.dropFirst(used)
        if flags & CInt(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
          let name = UnsafeBufferPointer(start: field.name, count: field.namelen)
          let value = UnsafeBufferPointer(start: field.value, count: field.valuelen)
          lines.append(
            String(decoding: name, as: UTF8.self) + ": " + String(decoding: value, as: UTF8.self))
        }
        if flags & CInt(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
          nghttp2_hd_inflate_end_headers(inflater)
          return lines
        }
      }
    }
  }
}
