// SPDX-License-Identifier: Apache-2.0

/// A form that `validate.rules` can ask a string to have, by the name of its rule.
enum StringForm: String, Sendable {
  case email, hostname, ip, ipv4, ipv6, uri, uuid, address
  case uriReference = "uri_ref"
  case headerName, headerValue
  /// What `strict: false` leaves of both: no NUL and no line break.
  case headerText

  /// Those that are rules of their own.
  static let named: [Self] = [
    .email, .hostname, .ip, .ipv4, .ipv6, .uri, .uuid, .address, .uriReference,
  ]

  /// With an article, for "expected an IP address, found …".
  var text: String {
    switch self {
    case .email: "an e-mail address"
    case .hostname: "a host name"
    case .ip: "an IP address"
    case .ipv4: "an IPv4 address"
    case .ipv6: "an IPv6 address"
    case .uri: "a URI"
    case .uriReference: "a URI reference"
    case .uuid: "a UUID"
    case .address: "a host name or an IP address"
    case .headerName: "an HTTP header name"
    case .headerValue: "an HTTP header value"
    case .headerText: "no NUL and no line break"
    }
  }

  func matches(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return switch self {
    case .email: Self.isEmail(text)
    case .hostname: Self.isHostname(bytes)
    case .ip: Self.isIPv4(bytes[...]) || Self.isIPv6(bytes)
    case .ipv4: Self.isIPv4(bytes[...])
    case .ipv6: Self.isIPv6(bytes)
    case .address: Self.isHostname(bytes) || Self.isIPv4(bytes[...]) || Self.isIPv6(bytes)
    case .uri: Self.isURI(bytes)
    case .uriReference: Self.isURIReference(bytes)
    case .uuid: Self.isUUID(bytes)
    case .headerName: Self.isHeaderName(bytes)
    case .headerValue: bytes.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    case .headerText: bytes.allSatisfy { $0 != 0 && $0 != 0x0A && $0 != 0x0D }
    }
  }

  private static func isHeaderName(_ bytes: [UInt8]) -> Bool {
    let name = bytes.first == UInt8(ascii: ":") ? bytes.dropFirst() : bytes[...]
    let marks = Set("!#$%&'*+,-.^_|~`".utf8)
    return !name.isEmpty && name.allSatisfy { isAlphanumeric($0) || marks.contains($0) }
  }

  // https://www.rfc-editor.org/rfc/rfc1034#section-3.5
  private static func isHostname(_ bytes: [UInt8]) -> Bool {
    let labels = (bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes[...])
      .split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return bytes.count <= 253
      && labels.allSatisfy { label in
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
          && label.last != UInt8(ascii: "-")
          && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
      }
  }

  private static func isEmail(_ text: String) -> Bool {
    guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
    let local = text.utf8[..<at]
    let host = Array(text.utf8[text.utf8.index(after: at)...])
    return (1...64).contains(local.count) && text.utf8.count <= 254 && isHostname(host)
      && local.allSatisfy { $0 > 0x20 && $0 != 0x7F && !Set("@()<>[],;:\\\"".utf8).contains($0) }
  }

  private static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        (1...3).contains(part.count) && part.allSatisfy { (0x30...0x39).contains($0) }
          && (part.count == 1 || part.first != 0x30)
          && part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
      }
  }

  // https://www.rfc-editor.org/rfc/rfc4291#section-2.2
  private static func isIPv6(_ bytes: [UInt8]) -> Bool {
    let colon = UInt8(ascii: ":")
    var groups = bytes.split(separator: colon, omittingEmptySubsequences: false)
    guard (3...9).contains(groups.count) else { return false }
    // The ends of a text that begins or ends with `::` are one empty group too many.
    let hasLeadingGap = bytes.starts(with: [colon, colon])
    let hasTrailingGap = bytes.suffix(2) == [colon, colon]
    if hasLeadingGap { groups.removeFirst() }
    if hasTrailingGap { groups.removeLast() }
    let gaps = groups.count { $0.isEmpty }
    guard gaps <= 1, bytes.count != 3 || bytes != [colon, colon, colon] else { return false }
    var width = groups.count - gaps
    if let last = groups.last, last.contains(UInt8(ascii: ".")) {
      guard isIPv4(last) else { return false }
      groups.removeLast()
      width += 1
    }
    let isHexadecimal = groups.allSatisfy { $0.count <= 4 && $0.allSatisfy(isHexDigit) }
    return isHexadecimal && (gaps == 1 ? width <= 7 : width == 8)
  }

  // https://www.rfc-editor.org/rfc/rfc3986#section-3.1
  private static func isURI(_ bytes: [UInt8]) -> Bool {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let first = bytes.first,
      isAlphanumeric(first), !(0x30...0x39).contains(first)
    else { return false }
    let marks = Set("+-.".utf8)
    return bytes[..<colon].allSatisfy { isAlphanumeric($0) || marks.contains($0) }
      && isURIReference(bytes)
  }

  private static func isURIReference(_ bytes: [UInt8]) -> Bool {
    let marks = Set("-._~:/?#[]@!$&'()*+,;=".utf8)
    var position = 0
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "%") {
        guard position + 2 < bytes.count, isHexDigit(bytes[position + 1]),
          isHexDigit(bytes[position + 2])
        else { return false }
        position += 3
      } else {
        guard isAlphanumeric(bytes[position]) || marks.contains(bytes[position]) else {
          return false
        }
        position += 1
      }
    }
    return true
  }

  private static func isUUID(_ bytes: [UInt8]) -> Bool {
    bytes.count == 36
      && bytes.enumerated().allSatisfy { index, byte in
        [8, 13, 18, 23].contains(index) ? byte == UInt8(ascii: "-") : isHexDigit(byte)
      }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF)
  }
}
