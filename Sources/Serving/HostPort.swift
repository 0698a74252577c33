// SPDX-License-Identifier: Apache-2.0

/// `host:port`; an IPv6 address stands in brackets.
package struct HostPort: Hashable, Sendable {
  package var host: String
  package var port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `127.0.0.1:15010`, `[::1]:15010`, `skiffd.mesh:15010` or `:15020` (of loopback).
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if isBracketed { host = host.dropFirst().dropLast() }
    guard isBracketed || !host.contains(":") else { return nil }
    self.init(host: host.isEmpty ? "127.0.0.1" : String(host), port: Int(port))
  }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }
}

extension HostPort: CustomStringConvertible {
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
