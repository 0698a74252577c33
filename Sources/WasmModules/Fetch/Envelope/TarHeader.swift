// SPDX-License-Identifier: Apache-2.0

/// One 512-byte header of a tar archive: ustar, pax or GNU.
///
/// See https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, "ustar Interchange
/// Format" and "pax Header Block".
struct TarHeader {
  static let size = 512

  enum Kind: Hashable {
    case file
    /// The path of the next entry, when it is too long for a header (GNU).
    case longName
    /// Records about the next entry (pax).
    case extended
    /// Directories, links, devices, global records: their content is passed over.
    case other
  }

  var kind: Kind
  var name: String
  var size: Int

  /// Reads a header; nil for the zero block that ends an archive.
  init?(_ block: ArraySlice<UInt8>) throws(ModuleError) {
    let block = Array(block)
    precondition(block.count == Self.size, "a tar header has 512 bytes")
    guard block.contains(where: { $0 != 0 }) else { return nil }
    // The checksum is taken with spaces in its own place.
    let sum = block.enumerated().reduce(0) { sum, byte in
      sum + ((148..<156).contains(byte.offset) ? 0x20 : Int(byte.element))
    }
    guard Self.number(block[148..<156]) == sum, let size = Self.number(block[124..<136]) else {
      throw ModuleError(.fetchFailure, "the tar archive is damaged: a header's checksum is wrong")
    }
    switch block[156] {
    case UInt8(ascii: "0"), UInt8(ascii: "7"), 0: kind = .file
    case UInt8(ascii: "L"): kind = .longName
    case UInt8(ascii: "x"): kind = .extended
    default: kind = .other
    }
    self.size = size
    self.name = Self.text(block[0..<100])
  }

  static func text(_ field: some Sequence<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Octal digits; or, with the top bit set, a big-endian number (GNU).
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    guard let first = field.first else { return nil }
    if first & 0x80 != 0 {
      var value = Int(first & 0x7f)
      for byte in field.dropFirst() {
        guard value < 1 << 48 else { return nil }
        value = value << 8 | Int(byte)
      }
      return value
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    guard !digits.isEmpty else { return 0 }
    return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 < 0 ? nil : $0 }
  }

  /// The value of a record of a pax header: `LENGTH KEY=VALUE\n`.
  static func record(_ key: String, in content: [UInt8]) -> String? {
    var rest = content[...]
    var found: String?
    while let space = rest.firstIndex(of: 0x20),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
      length > space - rest.startIndex + 1, length <= rest.count
    {
      let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
      if record.starts(with: "\(key)=".utf8) {
        found = String(decoding: record.dropFirst(key.utf8.count + 1), as: UTF8.self)
      }
      rest = rest[(rest.startIndex + length)...]
    }
    return found
  }
}
