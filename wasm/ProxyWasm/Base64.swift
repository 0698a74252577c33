// SPDX-License-Identifier: Apache-2.0
// Base64, as credentials and keys come in: the standard alphabet, padded or not, and one spelling
// for one value, so that what differs as text differs as bytes.
// https://www.rfc-editor.org/rfc/rfc4648#section-4

extension [UInt8] {
  /// Decodes Base64 text; nil if it is anything else, line breaks and left-over bits included.
  init?(base64 text: some BidirectionalCollection<UInt8>) {
    var (size, padding) = (text.count, 0)
    for byte in text.reversed() {
      guard byte == UInt8(ascii: "="), padding < 2 else { break }
      padding += 1
    }
    guard padding == 0 || size % 4 == 0, (size - padding) % 4 != 1 else { return nil }
    size -= padding
    self = []
    reserveCapacity(size * 3 / 4)
    var (bits, count) = (UInt32(0), UInt32(0))
    for byte in text.prefix(size) {
      guard let digit = Self.base64Digit(byte) else { return nil }
      bits = bits << 6 | digit
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      append(UInt8(truncatingIfNeeded: bits >> count))
    }
    guard bits & ((1 << count) - 1) == 0 else { return nil }
  }

  private static func base64Digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a") + 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0") + 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
