// SPDX-License-Identifier: Apache-2.0

/// Why a request did not succeed, in the words that kubectl has for it.
package enum ClientFailure: Error, Sendable {
  /// Nobody listens there.
  case refused(server: String)
  /// A name that is not found, a certificate that is not trusted, an end in the middle.
  case unreachable(String)
  /// What the server says.
  case server(ServerStatus)
  /// What is wrong before or without a server.
  case local(String)
}

extension ClientFailure: CustomStringConvertible {
  package var description: String {
    switch self {
    case .refused(let server):
      "The connection to the server \(server) was refused - did you specify the right host or port?"
    case .unreachable(let reason): "Unable to connect to the server: \(reason)"
    case .server(let status): status.text()
    case .local(let reason): "error: \(reason)"
    }
  }

  /// Whether the server says that there is no such object.
  package var isNotFound: Bool {
    if case .server(let status) = self { status.code == 404 } else { false }
  }

  /// Whether trying again later may help: the server is not there at the moment.
  package var isOutage: Bool {
    switch self {
    case .refused, .unreachable: true
    case .server(let status): status.code == 503 || status.code == 504
    case .local: false
    }
  }
}
