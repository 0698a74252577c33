// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What bytes are, by how they begin.
enum EnvelopeFormat: Hashable {
  /// Too few bytes to tell.
  case incomplete
  case module, gzip, zstd, tar, other

  /// How many bytes decide: tar's magic is the last to come.
  static let decisive = 263

  /// Recognises bytes; `isWhole` says that there are no more of them.
  init(_ bytes: ByteBuffer, isWhole: Bool) {
    let view = bytes.readableBytesView
    if view.starts(with: [0x00, 0x61, 0x73, 0x6d]) {
      guard view.count >= 8 else {
        self = isWhole ? .other : .incomplete
        return
      }
      self = view.dropFirst(4).starts(with: Self.componentVersion) ? .other : .module
    } else if view.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else if view.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
      self = .zstd
    } else if view.count >= Self.decisive {
      self = view.dropFirst(257).starts(with: "ustar".utf8) ? .tar : .other
    } else {
      self = isWhole ? .other : .incomplete
    }
  }

  /// A component has the magic of a module and a layer number of its own; Envoy cannot run it.
  private static let componentVersion: [UInt8] = [0x0d, 0x00, 0x01, 0x00]

  /// What the bytes look like to somebody who must find out what was published, and the remedy.
  static func describe(_ bytes: ByteBuffer) -> String {
    let view = bytes.readableBytesView
    guard !view.isEmpty else { return "nothing (the file is empty)" }
    let digits = view.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "\(kind(of: view)) (\(digits.joined(separator: " ")))"
  }

  private static func kind(of view: ByteBufferView) -> String {
    let known: [([UInt8], String)] = [
      (
        [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00],
        "a Wasm component, which Envoy cannot run; build a core module"
      ),
      ([0x00, 0x61, 0x73, 0x6d], "a Wasm module that ends within its header"),
      ([0x7f, 0x45, 0x4c, 0x46], "an ELF program; compile for a wasm target"),
      (Array("PK".utf8), "a zip archive; publish the module itself, or tar or gzip"),
      ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "an xz file; use gzip or zstd"),
      (Array("BZh".utf8), "a bzip2 file; use gzip or zstd"),
      (Array("version https://git-lfs".utf8), "a Git LFS pointer; link the file's own bytes"),
      ([0x00, 0x00, 0x00, 0x00], "zero bytes"),
    ]
    if let (_, text) = known.first(where: { view.starts(with: $0.0) }) { return text }
    let text = String(decoding: view.prefix(decisive), as: UTF8.self).lowercased()
      .drop(while: \.isWhitespace)
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
      return "an HTML page; does the URL name a web page or a login instead of the file?"
    }
    if text.hasPrefix("<?xml") { return "an XML document; it may be a storage service's error" }
    if text.hasPrefix("(module") { return "Wasm text; assemble it to the binary format" }
    if text.hasPrefix("{") { return "a JSON document; it may be a server's error" }
    let isText = view.prefix(decisive).allSatisfy { (0x20...0x7e).contains($0) || (9...13) ~= $0 }
    return isText ? "text" : "other bytes"
  }
}
