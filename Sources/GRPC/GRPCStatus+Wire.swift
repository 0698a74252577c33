// SPDX-License-Identifier: Apache-2.0

/// How a status travels: trailers, HTTP/2 error codes and HTTP status codes.
///
/// See <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md> (Status-Message, Errors) and
/// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>.
extension GRPCStatus {
  /// The trailers that carry this status.
  var trailers: HeaderList {
    var trailers: HeaderList = [("grpc-status", String(code.rawValue))]
    if !message.isEmpty {
      trailers.append(("grpc-message", Self.percentEncode(message)))
    }
    return trailers
  }

  /// Reads the status out of trailers; nil when they carry none.
  init?(trailers: HeaderList) {
    guard let text = trailers.first(where: { $0.name == "grpc-status" })?.value else { return nil }
    let code = Int(text).flatMap(Code.init(rawValue:)) ?? .unknown
    let message = trailers.first { $0.name == "grpc-message" }?.value ?? ""
    self.init(code, Self.percentDecode(message))
  }

  /// The status of a call that its peer reset, by the code of the RST_STREAM.
  init(resetWith errorCode: UInt32) {
    let code: Code =
      switch errorCode {
      case 0x7: .unavailable  // REFUSED_STREAM: the peer has not looked at it
      case 0x8: .cancelled
      case 0xb: .resourceExhausted  // ENHANCE_YOUR_CALM
      case 0xc: .permissionDenied  // INADEQUATE_SECURITY
      case 0x5: .unknown  // STREAM_CLOSED has no mapping
      default: .internalError
      }
    self.init(code, "the stream was reset with HTTP/2 error code \(errorCode)")
  }

  /// The status of a call that got an HTTP answer other than 200.
  init(httpStatus: String) {
    let code: Code =
      switch httpStatus {
      case "400": .internalError
      case "401": .unauthenticated
      case "403": .permissionDenied
      case "404": .unimplemented
      case "429", "502", "503", "504": .unavailable
      default: .unknown
      }
    self.init(code, "unexpected HTTP status \(httpStatus)")
  }

  /// Keeps printable ASCII but `%`, and writes every other byte as `%XX`.
  static func percentEncode(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The reverse of `percentEncode`; broken escapes stay as they are, as the protocol asks.
  static func percentDecode(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    let source = Array(text.utf8)
    var bytes: [UInt8] = []
    var index = 0
    while index < source.count {
      if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
        let high = Character(UnicodeScalar(source[index + 1])).hexDigitValue,
        let low = Character(UnicodeScalar(source[index + 2])).hexDigitValue
      {
        bytes.append(UInt8(high << 4 | low))
        index += 3
      } else {
        bytes.append(source[index])
        index += 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
