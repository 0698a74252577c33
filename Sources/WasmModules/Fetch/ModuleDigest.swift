// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The SHA-256 of a module, of a registry manifest or of a blob.
///
/// Of a module behind http it is the digest of the module's own bytes, after gzip, zstd and tar
/// were opened; of an image it is the digest of the manifest. So Istio defines the `sha256` of a
/// WasmPlugin (pkg/wasm/cache.go), and so a value that works there works here.
package struct ModuleDigest: Hashable, Sendable, CustomStringConvertible {
  /// Sixty-four lower-case hexadecimal digits.
  package let hex: String

  /// Takes hexadecimal digits as a WasmPlugin's `sha256` has them; nil if they are not 64.
  package init?(hex: some StringProtocol) {
    let digits = hex.lowercased()
    guard digits.utf8.count == 64,
      digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    self.hex = digits
  }

  /// Takes `sha256:…`, as registries write it; nil for anything else, other algorithms included.
  package init?(_ text: some StringProtocol) {
    guard text.hasPrefix("sha256:") else { return nil }
    self.init(hex: text.dropFirst("sha256:".count))
  }

  private init(_ digest: SHA256Digest) {
    let digits = Array("0123456789abcdef".utf8)
    self.hex = String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The digest of bytes that are all there.
  package static func of(_ bytes: some Sequence<UInt8>) -> ModuleDigest {
    ModuleDigest(SHA256.hash(data: Array(bytes)))
  }

  package var description: String { "sha256:\(hex)" }

  /// Makes a digest of bytes that come in pieces.
  package struct Hasher: Sendable {
    private var hash = SHA256()

    /// Begins with no bytes.
    package init() {}

    /// Takes the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
      hash.update(bufferPointer: bytes)
    }

    /// The digest of all bytes so far; more may follow.
    package var digest: ModuleDigest { ModuleDigest(hash.finalize()) }
  }
}
