// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Whether texts are IP addresses, as the system's own parser decides.
enum IPAddress {
  static func isAddress(_ text: String) -> Bool {
    isAddress(text, family: AF_INET) || isAddress(text, family: AF_INET6)
  }

  /// An address, or a network in CIDR notation.
  static func isAddressOrNetwork(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return isAddress(text) }
    guard let length = UInt8(parts[1]) else { return false }
    let address = String(parts[0])
    return isAddress(address, family: AF_INET) && length <= 32
      || isAddress(address, family: AF_INET6) && length <= 128
  }

  private static func isAddress(_ text: String, family: Int32) -> Bool {
    var address = in6_addr()
    return inet_pton(family, text, &address) == 1
  }
}
