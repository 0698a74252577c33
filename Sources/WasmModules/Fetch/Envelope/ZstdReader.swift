// SPDX-License-Identifier: Apache-2.0

import CZstd
import NIOCore

/// Opens Zstandard (RFC 8878), several frames in a row included; checksums are verified.
final class ZstdReader: EnvelopeLayer {
  private static let pieceSize = 64 << 10
  /// 8 MiB, what RFC 8878 §3.1.1.1.2 asks of every decoder; all levels up to 19 stay within.
  private static let maximumWindowLog: Int32 = 23

  private let stream: OpaquePointer
  private var input = ByteBuffer()
  /// Zero between frames, else what libzstd would like to have next.
  private var expected = 1
  private var mayHoldOutput = false

  init() {
    guard let stream = ZSTD_createDStream() else {
      preconditionFailure("libzstd could not be set up: out of memory")
    }
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.maximumWindowLog)
    self.stream = stream
  }

  deinit { ZSTD_freeDStream(stream) }

  func push(_ bytes: ByteBuffer) { input = bytes }

  func pull() throws(ModuleError) -> ByteBuffer? {
    while input.readableBytes > 0 || mayHoldOutput {
      var piece = ByteBuffer()
      var status = 0
      var isFull = false
      piece.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceSize) { output in
        var outputBuffer = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        input.readWithUnsafeReadableBytes { bytes in
          var inputBuffer = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
          status = ZSTD_decompressStream(stream, &outputBuffer, &inputBuffer)
          return inputBuffer.pos
        }
        isFull = outputBuffer.pos == outputBuffer.size
        return outputBuffer.pos
      }
      guard ZSTD_isError(status) == 0 else {
        let why = String(cString: ZSTD_getErrorName(status))
        throw ModuleError(
          .fetchFailure,
          "the zstd data cannot be opened: \(why); its window may be 8 MiB at most (level 19)")
      }
      expected = status
      mayHoldOutput = isFull && status != 0
      if piece.readableBytes > 0 { return piece }
    }
    return nil
  }

  func checkComplete() throws(ModuleError) {
    guard expected == 0 else {
      throw ModuleError(.fetchFailure, "the zstd data ends too early; it was published truncated")
    }
  }
}
