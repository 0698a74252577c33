// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix

extension GRPCStatus {
  /// Why an address cannot be connected to, in the words of the system instead of the library's.
  init(connectingTo address: GRPCListener.Address, failed error: any Error) {
    self.init(.unavailable, "cannot connect to \(address): \(Self.reason(error))")
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      if error.dnsAError != nil || error.dnsAAAAError != nil, error.connectionErrors.isEmpty {
        "the name cannot be resolved"
      } else {
        error.connectionErrors.first.map { reason($0.error) } ?? "no address answers"
      }
    case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
    case ChannelError.connectTimeout(let limit): "no answer within \(limit)"
    default: "\(error)"
    }
  }
}

extension GRPCListener.Address: CustomStringConvertible {
  /// `host:port`, or `unix:` and the path.
  package var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
