// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

extension ClientFailure {
  /// A failure below HTTP; `server` is a URL.
  init(transport error: any Error, server: String) {
    let authority = String(server.split(separator: "/").last ?? "")
    switch error {
    case let error as NIOConnectionError:
      if let cause = error.connectionErrors.first?.error {
        self.init(transport: cause, server: server)
      } else {
        self = .unreachable("\(authority): no such host")
      }
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      self = .refused(server: authority)
    case let error as IOError:
      self = .unreachable(
        "\(authority): \(String(cString: strerror(error.errnoCode)).lowercased())")
    case ChannelError.connectTimeout: self = .unreachable("\(authority): no answer within 10 s")
    case is NIOSSLExtraError:
      self = .unreachable("\(authority): the server's certificate is for other names")
    case let error as NIOSSLError where "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
      self = .unreachable(
        "\(authority): the server's certificate is not trusted; see --certificate-authority")
    case is NIOSSLError:
      self = .unreachable("\(authority): the TLS handshake failed; does it speak TLS?")
    case let error as HTTPClientError where error == .remoteConnectionClosed:
      self = .unreachable(
        "\(authority): the connection ended without an answer; does it want https?")
    case let error as HTTPClientError:
      self = .unreachable("\(authority): \(error.shortDescription.lowercased())")
    default: self = .unreachable("\(authority): \(type(of: error))")
    }
  }
}
