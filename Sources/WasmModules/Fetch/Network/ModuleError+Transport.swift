// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

extension ModuleError {
  /// A failure below HTTP, in words that say what to do.
  ///
  /// Worth another try, as Istio has it, unless a certificate is to blame: that takes a human.
  init(transport error: any Error, url: HTTPURL, address: IPAddress?) {
    let peer = address.map { "\($0), port \(url.effectivePort)" } ?? "the proxy"
    var reason: String
    var isRetryable = true
    var hint: Hint?
    switch error {
    case let error as HTTPClientError where error == .connectTimeout:
      reason = "no connection to \(peer) within 5 s"
      hint = .noConnection
    case let error as HTTPClientError where error == .proxyAuthenticationRequired:
      reason = "the proxy wants a user and a password; put them into the proxy's URL"
      isRetryable = false
    case let error as HTTPClientError where error == .invalidProxyResponse:
      reason = "the proxy refuses a tunnel (CONNECT) to \(url.authority)"
    case let error as HTTPClientError where error == .remoteConnectionClosed:
      reason = "the server closed the connection without an answer"
      hint = .noTLS
    case let error as HTTPClientError where error == .deadlineExceeded:
      reason = "no answer in the time of an attempt"
    case is CancellationError: reason = "cancelled"
    case let error as HTTPClientError where error == .cancelled: reason = "cancelled"
    case let error as IOError:
      reason = "no connection to \(peer): \(String(cString: strerror(error.errnoCode)))"
      hint = .noConnection
    case ChannelError.connectTimeout:
      reason = "no connection to \(peer) within 5 s"
      hint = .noConnection
    case is NIOConnectionError:
      reason = "no connection to \(peer)"
      hint = .noConnection
    case is NIOSSLExtraError:
      reason = "the server's certificate is not for \(url.host)"
      isRetryable = false
    case let error as NIOSSLError:
      let text = "\(error)"
      if text.contains("CERTIFICATE_VERIFY_FAILED") {
        reason =
          "the server's certificate is not trusted; give the CA of \(url.authority), "
          + "or name it in WASM_INSECURE_REGISTRIES"
        isRetryable = false
      } else {
        reason = "the TLS handshake failed"
        hint = .noTLS
      }
    default:
      reason = "the connection failed (\(type(of: error)))"
    }
    self.init(.downloadFailure, "\(url): \(reason)", isRetryable: isRetryable)
    self.hint = hint
  }
}
