// SPDX-License-Identifier: Apache-2.0
// Which hosts a rule covers: a name, or one with a `*` at an end that stands for any text.

struct HostPattern {
  private let start: [UInt8]
  private let end: [UInt8]
  private let isExact: Bool

  init(_ json: JSON) throws(PluginError) {
    let text = try json.string().utf8.asciiLowercased
    let stars = text.indices.filter { text[$0] == UInt8(ascii: "*") }
    guard !text.isEmpty, stars.isEmpty || stars == [0] || stars == [text.count - 1] else {
      throw json.expected("a host, with '*' at one end if at all")
    }
    isExact = stars.isEmpty
    start = [UInt8](text.prefix { $0 != UInt8(ascii: "*") })
    end = stars == [0] ? [UInt8](text.dropFirst()) : []
  }

  /// Whether it covers a host as `hostname` makes it.
  func covers(_ host: [UInt8]) -> Bool {
    if isExact { return host.elementsEqual(start) }
    return host.starts(with: start) && host.count >= end.count
      && host.suffix(end.count).elementsEqual(end)
  }

  /// The host of an authority: in lower case, without port and closing dot.
  static func hostname(authority: [UInt8]) -> [UInt8] {
    var host = authority.asciiLowercased[...]
    // The colons of an IPv6 address stand in brackets.
    if let colon = host.lastIndex(of: UInt8(ascii: ":")),
      !host[colon...].contains(UInt8(ascii: "]"))
    {
      host = host[..<colon]
    }
    if host.last == UInt8(ascii: ".") { host.removeLast() }
    return [UInt8](host)
  }
}
