// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import WasmModules

@Suite struct EnvelopeTests {
  /// What comes out of a reader, when the input is pushed in pieces of a size.
  private func open(
    _ bytes: [UInt8], pieces: Int = .max, limit: Int = 1 << 20,
    choosing choice: TarReader.Choice = .firstModule
  ) throws(ModuleError) -> [UInt8] {
    try open(
      cuts: Array(stride(from: 0, to: bytes.count, by: max(1, min(pieces, bytes.count)))), bytes,
      limit: limit, choosing: choice)
  }

  private func open(
    cuts: [Int], _ bytes: [UInt8], limit: Int = 1 << 20,
    choosing choice: TarReader.Choice = .firstModule
  ) throws(ModuleError) -> [UInt8] {
    var reader = EnvelopeReader(limit: limit, choosing: choice)
    var output: [UInt8] = []
    for (start, end) in zip(cuts, cuts.dropFirst() + [bytes.count]) {
      reader.push(ByteBuffer(bytes: bytes[start..<end]))
      while let piece = try reader.pull() { output += piece.readableBytesView }
    }
    reader.end()
    while let piece = try reader.pull() { output += piece.readableBytesView }
    return output
  }

  private func failure(
    _ bytes: [UInt8], limit: Int = 1 << 20, choosing choice: TarReader.Choice = .firstModule
  ) -> String {
    do throws(ModuleError) {
      return "opened \(try open(bytes, limit: limit, choosing: choice).count) bytes"
    } catch {
      return error.description
    }
  }

  private static let module = TestModules.module()

  private static let envelopes: [(String, [UInt8])] = [
    ("plain", module),
    ("gzip", TestModules.gzip(module)),
    ("zstd", TestModules.zstd(module)),
    ("tar", TestModules.tar([("plugin.wasm", module)])),
    ("tar.gz", TestModules.gzip(TestModules.tar([("plugin.wasm", module)]))),
    ("tar.zst", TestModules.zstd(TestModules.tar([("plugin.wasm", module)]))),
    ("wasm.gz in tar", TestModules.tar([("plugin.wasm.gz", TestModules.gzip(module))])),
    ("gzip in gzip", TestModules.gzip(TestModules.gzip(module))),
    ("readme first", TestModules.tar([("README.md", Array("hello".utf8)), ("x/a.wasm", module)])),
    (
      "two gzip members",
      TestModules.gzip(Array(module[..<100])) + TestModules.gzip(Array(module[100...]))
    ),
    (
      "two zstd frames",
      TestModules.zstd(Array(module[..<100])) + TestModules.zstd(Array(module[100...]))
    ),
    ("gzip and padding", TestModules.gzip(module) + [0, 0, 0, 0]),
    ("tar without an end", TestModules.entry("a.wasm", module)),
  ]

  @Test(arguments: envelopes.indices)
  func `an envelope opens however it is cut`(_ index: Int) throws {
    let (name, bytes) = Self.envelopes[index]
    for cut in 0...bytes.count {
      #expect(try open(cuts: [0, cut], bytes) == Self.module, "\(name) cut at \(cut)")
    }
    #expect(try open(bytes, pieces: 1) == Self.module, "\(name) byte by byte")
    #expect(try open(bytes, pieces: 7) == Self.module, "\(name) in sevens")
  }

  @Test(arguments: [
    TestModules.gzip(module), TestModules.zstd(module),
    TestModules.gzip(TestModules.tar([("plugin.wasm", module)])),
  ])
  func `a truncated envelope is an error at every length`(_ bytes: [UInt8]) {
    for count in 0..<bytes.count {
      #expect(throws: ModuleError.self, "\(count) bytes") { try open(Array(bytes[..<count])) }
    }
  }

  @Test func `a truncated file in an archive is an error at every length`() {
    let bytes = TestModules.entry("plugin.wasm", Self.module)
    for count in 0..<(512 + Self.module.count) {
      #expect(throws: ModuleError.self, "\(count) bytes") { try open(Array(bytes[..<count])) }
    }
  }

  @Test func `flipped bits never make another module`() throws {
    let bytes = TestModules.gzip(Self.module)
    for index in 10..<bytes.count {
      var damaged = bytes
      damaged[index] ^= 0x10
      // A bit that only fills the last byte of the data means nothing.
      let opened = try? open(damaged)
      #expect(opened == nil || opened == Self.module, "byte \(index)")
    }
  }

  @Test func `what unpacks to more than the limit is refused`() {
    let zeros = Self.module + [UInt8](repeating: 0, count: 16 << 20)
    let too = "download_failure: "
    let limit = "the limit of 65536 bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)"
    #expect(
      failure(TestModules.gzip(zeros), limit: 65536)
        == too + "the module is larger than " + limit)
    #expect(
      failure(TestModules.zstd(zeros), limit: 65536) == too + "the module is larger than " + limit)
    // The bomb is behind the module, in the part of the archive that is passed over.
    let archive = TestModules.tar([
      ("a.wasm", Self.module), ("b", [UInt8](repeating: 0, count: 4 << 20)),
    ])
    #expect(
      failure(TestModules.gzip(archive), limit: 65536)
        == too + "what it unpacks to is larger than " + limit)
    #expect(failure(Self.module, limit: 299).hasPrefix(too))
    #expect(failure(Self.module, limit: 300) == "opened 300 bytes")
  }

  @Test func `nesting has an end`() {
    let bytes = (0..<7).reduce(Self.module) { bytes, _ in TestModules.gzip(bytes) }
    #expect(
      failure(bytes)
        == "fetch_failure: more than 6 envelopes around each other; unpack it")
  }

  @Test(arguments: [
    ("", "nothing (the file is empty)"),
    (
      "<!DOCTYPE html><html>",
      "an HTML page; does the URL name a web page or a login instead of the file? (3c 21 44 4f)"
    ),
    ("{\"error\": 1}", "a JSON document; it may be a server's error (7b 22 65 72)"),
    ("\u{7f}ELF\u{2}", "an ELF program; compile for a wasm target (7f 45 4c 46)"),
    ("(module)", "Wasm text; assemble it to the binary format (28 6d 6f 64)"),
    ("just text", "text (6a 75 73 74)"),
    (
      "version https://git-lfs.github.com/spec/v1",
      "a Git LFS pointer; link the file's own bytes (76 65 72 73)"
    ),
    ("\0asm", "a Wasm module that ends within its header (00 61 73 6d)"),
    (
      "\0asm\u{d}\0\u{1}\0",
      "a Wasm component, which Envoy cannot run; build a core module (00 61 73 6d)"
    ),
    ("\0\0\0\0\0\0\0\0", "zero bytes (00 00 00 00)"),
    ("\u{1}\u{2}", "other bytes (01 02)"),
  ])
  func `what is no module is told apart`(_ text: String, _ found: String) {
    #expect(
      failure(Array(text.utf8))
        == "fetch_failure: expected a Wasm module (00 61 73 6d), found \(found)")
  }

  @Test func `zeros are refused after the first few bytes`() {
    var reader = EnvelopeReader(limit: 1 << 30)
    reader.push(ByteBuffer(repeating: 0, count: 1024))
    #expect(throws: ModuleError.self) { try reader.pull() }
  }

  @Test func `a named file is found in any directory and by its long name`() throws {
    let named = TarReader.Choice.named("plugin.wasm")
    let long = String(repeating: "directory/", count: 15) + "plugin.wasm"
    let gnu = TestModules.entry("././@LongLink", Array(long.utf8) + [0], type: "L")
    let pax = TestModules.entry("PaxHeaders/x", TestModules.paxRecord("path", long), type: "x")
    let other = TestModules.entry("other.wasm", TestModules.module(size: 20))
    let directory = TestModules.entry("directory/", [], type: "5")
    let file = TestModules.entry(String(long.prefix(100)), Self.module)
    for bytes in [
      gnu + file, other + directory + pax + file,
      other + TestModules.tar([("./plugin.wasm", Self.module)]),
    ] {
      #expect(try open(bytes, choosing: named) == Self.module)
      #expect(try open(bytes, pieces: 1, choosing: named) == Self.module)
    }
    #expect(
      failure(TestModules.tar([("a.wasm", Self.module), ("README", [65])]), choosing: named)
        == "fetch_failure: the tar archive holds no plugin.wasm, only a.wasm, README")
  }

  @Test func `an archive without a module says what it holds`() {
    #expect(
      failure(TestModules.tar([("README", Array("hello".utf8))]))
        == "fetch_failure: the tar archive holds no Wasm module, only README")
    #expect(
      failure(TestModules.tar([]))
        == "fetch_failure: expected a Wasm module (00 61 73 6d), found zero bytes (00 00 00 00)")
    var damaged = TestModules.tar([("a.wasm", Self.module)])
    damaged[0] ^= 1
    #expect(
      failure(damaged)
        == "fetch_failure: the tar archive is damaged: a header's checksum is wrong")
  }

  @Test func `whatever comes, the reader ends with a module or an error`() {
    var state: UInt64 = 88_172_645_463_325_252
    func random(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
    let huge = TestModules.paxRecord("size", "9223372036854775807")
    let seeds =
      Self.envelopes.map(\.1) + [
        TestModules.entry("x", huge, type: "x") + TestModules.entry("a.wasm", Self.module)
      ]
    for seed in seeds {
      for _ in 0..<300 {
        var bytes = seed
        for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
        if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
        let opened = try? open(bytes, pieces: 1 + random(600))
        #expect(opened.map { $0.count <= 1 << 20 } ?? true)
      }
    }
  }
}
