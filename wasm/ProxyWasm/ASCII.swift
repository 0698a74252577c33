// SPDX-License-Identifier: Apache-2.0
// What HTTP compares without regard to case (schemes, hosts, field names) is ASCII, and is compared
// here byte by byte: no Unicode tables, and no letter outside ASCII that folds into one inside.

extension UInt8 {
  /// This letter in lower case; every other byte as it is.
  var asciiLowercased: UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
  }

  /// The value of a hexadecimal digit; nil if it is none.
  var hexDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// A space or a tab: what HTTP allows around a field's value.
  var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension Sequence<UInt8> {
  var asciiLowercased: [UInt8] { map { $0.asciiLowercased } }
}

extension BidirectionalCollection<UInt8> {
  /// Without the spaces and tabs at both ends.
  var trimmingBlanks: SubSequence {
    var rest = drop { $0.isBlank }
    while rest.last?.isBlank ?? false { rest.removeLast() }
    return rest
  }
}
