// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The version of a resource or of a set of resources: a hash of the bytes.
///
/// Equal bytes have equal versions on every replica and after every restart, so what did not change
/// is never sent. The first 16 bytes of SHA-256, in hexadecimal where it is printed.
package struct ContentHash: Hashable, Sendable {
  private let high: UInt64
  private let low: UInt64

  package init(of bytes: some Sequence<UInt8>) {
    var hasher = Hasher()
    hasher.combine(Array(bytes))
    self = hasher.finalize()
  }

  /// Reads what `description` wrote; nil for anything else.
  package init?(_ text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 32, let high = Self.word(digits[..<16]),
      let low = Self.word(digits[16...])
    else { return nil }
    (self.high, self.low) = (high, low)
  }

  private init(digest: SHA256.Digest) {
    let words = digest.withUnsafeBytes { bytes in
      (0..<2).map {
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
      }
    }
    (high, low) = (words[0], words[1])
  }

  /// Builds a hash over several parts; each part is framed by its length, so parts cannot merge.
  package struct Hasher: ~Copyable {
    private var sha = SHA256()

    package init() {}

    package mutating func combine(_ bytes: [UInt8]) {
      withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { sha.update(bufferPointer: $0) }
      bytes.withUnsafeBytes { sha.update(bufferPointer: $0) }
    }

    package mutating func combine(_ text: String) { combine(Array(text.utf8)) }

    package mutating func combine(_ hash: ContentHash) {
      withUnsafeBytes(of: (hash.high, hash.low)) { sha.update(bufferPointer: $0) }
    }

    package consuming func finalize() -> ContentHash {
      ContentHash(digest: sha.finalize())
    }
  }
}

extension ContentHash: CustomStringConvertible {
  package var description: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

  fileprivate static func word(_ digits: ArraySlice<UInt8>) -> UInt64? {
    // `UInt64(_:radix:)` would take a sign.
    guard digits.allSatisfy({ (0x30...0x39) ~= $0 || (0x61...0x66) ~= $0 }) else { return nil }
    return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
