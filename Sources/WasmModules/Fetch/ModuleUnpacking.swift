// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A body on its way through the envelopes into a sink, with the digest of what arrives there.
struct ModuleUnpacking {
  private var reader: EnvelopeReader
  private let sink: any ModuleSink
  private let subject: String
  private var hasher = ModuleDigest.Hasher()
  private var hasBegun = false

  /// An unpacking whose errors are about the subject, a URL.
  init(reader: EnvelopeReader, sink: any ModuleSink, subject: String) {
    self.reader = reader
    self.sink = sink
    self.subject = subject
  }

  /// Takes the next bytes of the body.
  mutating func write(_ bytes: ByteBuffer) async throws(ModuleError) {
    reader.push(bytes)
    try await drain()
  }

  /// Ends the body.
  ///
  /// - Returns: the digest of the module.
  mutating func finish() async throws(ModuleError) -> ModuleDigest {
    reader.end()
    try await drain()
    return hasher.digest
  }

  private mutating func drain() async throws(ModuleError) {
    while let bytes = try nextBytes() {
      if !hasBegun { try await sink.restart() }
      hasBegun = true
      bytes.withUnsafeReadableBytes { hasher.update($0) }
      try await sink.write(bytes)
    }
  }

  private mutating func nextBytes() throws(ModuleError) -> ByteBuffer? {
    do throws(ModuleError) {
      return try reader.pull()
    } catch {
      throw error.about(subject)
    }
  }
}
