// SPDX-License-Identifier: Apache-2.0

/// An http or https URL, taken apart strictly.
///
/// The guard looks at `host`, and the HTTP client later takes `text` apart again by its own rules.
/// Both must see the same host, so whatever two readers could read differently is refused here,
/// and `text` is put together anew from the parts (RFC 3986 §3).
struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
  var isTLS: Bool
  /// In lower case; an IPv6 address without its brackets.
  var host: String
  /// As written; see `effectivePort`.
  var port: Int?
  /// Path and query, beginning with a slash, percent-encoded, without a fragment.
  var target: String
  /// `user:password` as written before the `@`; Go's client sends it as Basic, so we do.
  var user: String?

  init(parsing text: String) throws(ModuleError) {
    guard let separator = text.firstRange(of: "://") else {
      throw Self.invalid("expected http:// or https://")
    }
    switch text[..<separator.lowerBound].lowercased() {
    case "http": isTLS = false
    case "https": isTLS = true
    default: throw Self.invalid("expected http:// or https://")
    }
    var authority = text[separator.upperBound...]
    let end = authority.firstIndex { "/?#".contains($0) } ?? authority.endIndex
    let tail = authority[end...].prefix { $0 != "#" }
    authority = authority[..<end]
    if let at = authority.lastIndex(of: "@") {
      user = Self.percentDecoded(authority[..<at])
      authority = authority[authority.index(after: at)...]
    }
    (host, port) = try Self.hostAndPort(authority)
    target = Self.percentEncoded(tail.hasPrefix("/") ? tail : "/" + tail)
  }

  /// The URL that a `Location` or a realm of this URL's answer means (RFC 3986 §5.2, without dot
  /// segments: servers that redirect to them resolve them, too).
  func resolving(_ reference: String) throws(ModuleError) -> HTTPURL {
    if reference.contains("://") { return try HTTPURL(parsing: reference) }
    if reference.hasPrefix("//") {
      return try HTTPURL(parsing: (isTLS ? "https:" : "http:") + reference)
    }
    guard !reference.prefix(while: { !"/?#".contains($0) }).contains(":") else {
      throw Self.invalid("expected a redirect to http or https")
    }
    var result = self
    let relative = reference.prefix { $0 != "#" }
    let path = target.prefix { $0 != "?" }
    if relative.hasPrefix("/") {
      result.target = Self.percentEncoded(relative)
    } else if relative.hasPrefix("?") {
      result.target = path + Self.percentEncoded(relative)
    } else {
      let directory = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
      result.target = directory + Self.percentEncoded(relative)
    }
    return result
  }

  var effectivePort: Int { port ?? (isTLS ? 443 : 80) }

  /// `host[:port]` as written, with brackets around an IPv6 address: how settings name a host.
  var authority: String {
    (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
  }

  /// What is asked for, without user and password, with the query.
  var text: String { "\(isTLS ? "https" : "http")://\(authority)\(target)" }

  /// Scheme, host and port decide who may see an Authorization header.
  func isSameOrigin(as other: HTTPURL) -> Bool {
    isTLS == other.isTLS && host == other.host && effectivePort == other.effectivePort
  }

  /// For a human: without user and password, and without the query, which may be a signature.
  var description: String {
    let path = target.prefix { $0 != "?" }
    return "\(isTLS ? "https" : "http")://\(authority)\(path)\(path == target[...] ? "" : "?…")"
  }

  private static func hostAndPort(_ authority: Substring) throws(ModuleError) -> (String, Int?) {
    var host = authority
    var port: Int?
    let colon = authority.lastIndex(of: ":")
    if let colon, !authority[colon...].contains("]") {
      let digits = authority[authority.index(after: colon)...]
      guard let number = UInt16(digits), number > 0, digits.first != "+" else {
        throw invalid("expected a port between 1 and 65535")
      }
      host = authority[..<colon]
      port = Int(number)
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":"), IPAddress(String(host)) != nil else {
        throw invalid("expected an IPv6 address in the brackets")
      }
    } else {
      guard !host.isEmpty, host.utf8.count <= 253,
        host.utf8.allSatisfy({ $0.isASCIILetterOrDigit || ".-_".utf8.contains($0) })
      else { throw invalid("expected a host of letters, digits, '.', '-' and '_'") }
      // `0x7f.1` and `2130706433` are addresses to some readers and names to others.
      let last = host.split(separator: ".").last ?? ""
      guard last.first?.isNumber != true || IPAddress(String(host)) != nil else {
        throw invalid("expected an IPv4 address of four decimal numbers")
      }
    }
    return (host.lowercased(), port)
  }

  private static func percentEncoded(_ text: some StringProtocol) -> String {
    let kept = Array("-._~:/?[]@!$&'()*+,;=%".utf8)
    var encoded = ""
    for byte in text.utf8 {
      if byte.isASCIILetterOrDigit || kept.contains(byte) {
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        encoded += byte < 16 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return encoded
  }

  private static func percentDecoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func invalid(_ why: String) -> ModuleError {
    ModuleError(.fetchFailure, "the Wasm module URL cannot be used: \(why)")
  }
}
