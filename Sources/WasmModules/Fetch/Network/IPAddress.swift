// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An IP address as its bytes: four, or sixteen; an IPv4-mapped IPv6 address counts as IPv4.
struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  let bytes: [UInt8]

  /// Takes 4 or 16 bytes, in network order.
  init(bytes: [UInt8]) {
    precondition(bytes.count == 4 || bytes.count == 16, "an IP address has 4 or 16 bytes")
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    self.bytes = bytes.count == 16 && bytes.starts(with: mapped) ? Array(bytes[12...]) : bytes
  }

  /// Takes the usual text of an address, nothing that needs a resolver to understand.
  init?(_ text: String) {
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: count)
      guard inet_pton(family, text, &bytes) == 1 else { continue }
      self.init(bytes: bytes)
      return
    }
    return nil
  }

  /// Takes an address of the kind that `getaddrinfo` returns; nil for other families.
  init?(_ address: UnsafePointer<sockaddr>) {
    let raw = UnsafeRawPointer(address)
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let v4 = raw.loadUnaligned(as: sockaddr_in.self)
      self.init(bytes: withUnsafeBytes(of: v4.sin_addr) { Array($0) })
    case AF_INET6:
      let v6 = raw.loadUnaligned(as: sockaddr_in6.self)
      self.init(bytes: withUnsafeBytes(of: v6.sin6_addr) { Array($0) })
    default: return nil
    }
  }

  var isV6: Bool { bytes.count == 16 }

  var isLoopback: Bool {
    isV6 ? bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 : bytes[0] == 127
  }

  var isPrivate: Bool { Self.privateRanges.contains { $0.contains(self) } }

  private static let privateRanges = AddressRange.ranges(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")

  var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    inet_ntop(isV6 ? AF_INET6 : AF_INET, bytes, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
