// SPDX-License-Identifier: Apache-2.0

/// An address to listen on, written `host:port`; port 0 asks the system for a free one.
package struct ListenAddress: Hashable, Sendable {
  package var host: String
  package var port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `127.0.0.1:15010`, `[::1]:15010`, `localhost:0` or `:15010` (all of loopback's default).
  ///
  /// - Parameter text: the address; a missing host means 127.0.0.1.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    if host.isEmpty { host = "127.0.0.1" }
    self.init(host: String(host), port: Int(port))
  }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }
}

extension ListenAddress: CustomStringConvertible {
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
