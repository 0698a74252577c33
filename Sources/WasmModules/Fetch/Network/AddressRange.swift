// SPDX-License-Identifier: Apache-2.0

/// A block of IP addresses: an address and the number of leading bits that count (RFC 4632).
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
  private let address: IPAddress
  private let bits: Int

  /// Reads `10.0.0.0/8`, `fd00::/8`, or an address alone; nil if it is neither.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
    let width = address.bytes.count * 8
    // An IPv4-mapped address was written with the 96 bits before it.
    let mapped = !address.isV6 && first.contains(":") ? 96 : 0
    guard parts.count == 2 else {
      self.address = address
      self.bits = width
      return
    }
    guard let bits = Int(parts[1]).map({ $0 - mapped }), (0...width).contains(bits) else {
      return nil
    }
    self.address = address
    self.bits = bits
  }

  func contains(_ other: IPAddress) -> Bool {
    guard other.bytes.count == address.bytes.count else { return false }
    let whole = bits / 8
    guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
    guard bits % 8 != 0 else { return true }
    return (other.bytes[whole] ^ address.bytes[whole]) >> UInt8(8 - bits % 8) == 0
  }

  package var description: String { "\(address)/\(bits)" }

  /// Ranges that are written in the program.
  static func ranges(_ texts: String...) -> [AddressRange] {
    texts.map { text in
      guard let range = AddressRange(text) else {
        preconditionFailure("\(text) is not an address range")
      }
      return range
    }
  }
}
