// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What a server makes of the header block that opens a stream.
///
/// See "Requests" in <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
enum RequestHead {
  /// A call to answer by a method.
  case call(path: String, timeout: TimeAmount?, metadata: HeaderList)

  /// A gRPC call to refuse with a status in trailers.
  case refused(GRPCStatus, also: HeaderList)

  /// Not gRPC at all: an HTTP answer.
  case notGRPC(HeaderList)

  /// Fields that belong to the transport and are no metadata.
  private static let transportFields: Set<String> = [
    "te", "content-type", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding",
  ]

  init(_ headers: HeaderList) {
    var (method, path, contentType, encoding, timeout) = ("", "", "", "identity", String?.none)
    var metadata: HeaderList = []
    for header in headers {
      switch header.name {
      case ":method": method = header.value
      case ":path": path = header.value
      case "content-type": contentType = header.value
      case "grpc-encoding": encoding = header.value
      case "grpc-timeout": timeout = header.value
      default:
        guard !header.name.hasPrefix(":"), !Self.transportFields.contains(header.name) else {
          continue
        }
        metadata.append(header)
      }
    }
    guard method == "POST" else {
      self = .notGRPC([(":status", "405"), ("allow", "POST")])
      return
    }
    guard Self.isGRPC(contentType: contentType) else {
      self = .notGRPC([(":status", "415"), ("accept-post", "application/grpc")])
      return
    }
    guard encoding == "identity" else {
      self = .refused(
        GRPCStatus(.unimplemented, "grpc-encoding \(encoding) is not supported"),
        also: [("grpc-accept-encoding", "identity")])
      return
    }
    var limit: TimeAmount?
    if let timeout {
      limit = GRPCTimeout.parse(timeout)
      guard limit != nil else {
        self = .refused(GRPCStatus(.internalError, "malformed grpc-timeout \(timeout)"), also: [])
        return
      }
    }
    self = .call(path: path, timeout: limit, metadata: metadata)
  }

  /// `application/grpc`, alone or with a message format or parameters; not `application/grpc-web`.
  static func isGRPC(contentType: String) -> Bool {
    let type = "application/grpc"
    guard contentType.lowercased().hasPrefix(type) else { return false }
    let rest = contentType.utf8.dropFirst(type.utf8.count).first
    return rest == nil || rest == UInt8(ascii: "+") || rest == UInt8(ascii: ";")
  }
}
