// SPDX-License-Identifier: Apache-2.0

package import Serving

/// How the control API is served.
package struct APISettings: Sendable {
  /// PEM files.
  package struct TLS: Sendable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  package var address: HostPort
  /// Where objects are kept; nil keeps them in memory.
  package var dataDirectory: String?
  /// Nil for plaintext.
  package var tls: TLS?
  /// A file with bearer tokens; nil lets in whoever can connect.
  package var tokenFile: String?

  package init(address: HostPort) { self.address = address }
}
