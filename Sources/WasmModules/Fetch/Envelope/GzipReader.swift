// SPDX-License-Identifier: Apache-2.0

import CZlib
import NIOCore

/// Opens gzip (RFC 1952), several members in a row included; the trailer's checksum is verified.
final class GzipReader: EnvelopeLayer {
  /// One piece of output.
  private static let pieceSize = 64 << 10

  /// On the heap: zlib refuses a stream whose address changed.
  private let stream: UnsafeMutablePointer<z_stream>
  private var input = ByteBuffer()
  private var memberHasEnded = false
  private var ignoresTheRest = false

  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for gzip's own header and trailer instead of zlib's.
    let status = inflateInit2_(
      stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib could not be set up: out of memory or another version")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func push(_ bytes: ByteBuffer) { input = bytes }

  func pull() throws(ModuleError) -> ByteBuffer? {
    while input.readableBytes > 0 {
      if memberHasEnded { beginNextMember() }
      if ignoresTheRest {
        input.clear()
        return nil
      }
      let (piece, status) = inflatePiece()
      switch status {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: memberHasEnded = true
      default:
        let why = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
        throw ModuleError(.fetchFailure, "the gzip data is damaged: \(why)")
      }
      if piece.readableBytes > 0 { return piece }
    }
    return drained()
  }

  func checkComplete() throws(ModuleError) {
    guard memberHasEnded else {
      throw ModuleError(.fetchFailure, "the gzip data ends too early; it was published truncated")
    }
  }

  /// Output that zlib holds back because the last piece was full, though all input is taken.
  private func drained() -> ByteBuffer? {
    guard !memberHasEnded, !ignoresTheRest else { return nil }
    let (piece, status) = inflatePiece()
    if status == Z_STREAM_END { memberHasEnded = true }
    return piece.readableBytes > 0 ? piece : nil
  }

  /// Another member may follow; anything else behind a member is padding, as gzip(1) has it.
  private func beginNextMember() {
    guard input.getInteger(at: input.readerIndex, as: UInt8.self) == 0x1f else {
      ignoresTheRest = true
      return
    }
    inflateReset(stream)
    memberHasEnded = false
  }

  private func inflatePiece() -> (ByteBuffer, Int32) {
    var piece = ByteBuffer()
    var status = Z_OK
    piece.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceSize) { output in
      input.readWithUnsafeMutableReadableBytes { bytes in
        stream.pointee.next_in = bytes.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(bytes.count)
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        status = inflate(stream, Z_NO_FLUSH)
        return bytes.count - Int(stream.pointee.avail_in)
      }
      return output.count - Int(stream.pointee.avail_out)
    }
    return (piece, status)
  }
}
