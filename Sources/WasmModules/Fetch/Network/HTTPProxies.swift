// SPDX-License-Identifier: Apache-2.0

/// Which proxy a URL goes through: the values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
///
/// Behind a proxy only the proxy resolves names, so the address guard sees nothing but literal
/// addresses there; the proxy's own rules decide the rest. A tunnel (CONNECT) is asked for in any
/// case, for http as well, so the proxy must allow it to port 80.
package struct HTTPProxies: Sendable {
  private var plain: HTTPURL?
  private var tls: HTTPURL?
  private var exclusions: [Exclusion] = []

  private enum Exclusion: Hashable {
    case everything
    case range(AddressRange)
    /// The host itself or, with `.` in front of it in what is compared, its subdomains.
    case host(String, port: Int?, alsoItself: Bool)
  }

  /// No proxy at all.
  package init() {}

  /// Reads the values of the three variables; empty is the same as not there.
  ///
  /// - Throws: `fetch_failure` for a proxy that is not `[http://][user:password@]host[:port]`.
  package init(http: String?, https: String?, exclusions: String?) throws(ModuleError) {
    plain = try Self.proxy(http)
    tls = try Self.proxy(https)
    for entry in (exclusions ?? "").split(whereSeparator: { $0 == "," || $0 == " " }) {
      self.exclusions.append(Self.exclusion(entry.lowercased()))
    }
  }

  func proxy(for url: HTTPURL) -> HTTPURL? {
    guard let proxy = url.isTLS ? tls : plain, !isExcluded(url) else { return nil }
    return proxy
  }

  /// Loopback never goes through a proxy, as with Go and curl.
  private func isExcluded(_ url: HTTPURL) -> Bool {
    let address = IPAddress(url.host)
    if url.host == "localhost" || address?.isLoopback == true { return true }
    return exclusions.contains { exclusion in
      switch exclusion {
      case .everything: true
      case .range(let range): address.map(range.contains) ?? false
      case .host(let host, let port, let alsoItself):
        (port == nil || port == url.effectivePort)
          && (url.host.hasSuffix(".\(host)") || alsoItself && url.host == host)
      }
    }
  }

  private static func proxy(_ text: String?) throws(ModuleError) -> HTTPURL? {
    guard let text, !text.isEmpty else { return nil }
    let url = try? HTTPURL(parsing: text.contains("://") ? text : "http://\(text)")
    guard let url, !url.isTLS else {
      throw ModuleError(
        .fetchFailure, "the proxy cannot be used: expected http://[USER:PASSWORD@]HOST[:PORT]")
    }
    return url
  }

  private static func exclusion(_ entry: String) -> Exclusion {
    if entry == "*" { return .everything }
    if let range = AddressRange(entry) { return .range(range) }
    let parts = entry.split(separator: ":", maxSplits: 1)
    var host = parts.first.map(String.init) ?? entry
    let alsoItself = !host.hasPrefix(".") && !host.hasPrefix("*.")
    if host.hasPrefix("*") { host.removeFirst() }
    if host.hasPrefix(".") { host.removeFirst() }
    return .host(host, port: parts.count == 2 ? Int(parts[1]) : nil, alsoItself: alsoItself)
  }
}
