// SPDX-License-Identifier: Apache-2.0

package import NIOSSL

/// Where a server listens, and whether it speaks TLS there.
package struct GRPCListener: Sendable {
  /// An address to listen on or to connect to.
  package enum Address: Hashable, Sendable {
    /// A name or address and a port; port 0 lets the system choose.
    case tcp(host: String, port: Int)
    /// A socket in the file system; a stale socket file is replaced.
    case unix(path: String)
  }

  /// Where.
  package var address: Address

  /// Certificates and trust, or nil for plaintext; the protocol for ALPN is filled in.
  package var tls: TLSConfiguration?

  /// Makes a listener at an address.
  package init(_ address: Address, tls: TLSConfiguration? = nil) {
    self.address = address
    self.tls = tls
  }
}
