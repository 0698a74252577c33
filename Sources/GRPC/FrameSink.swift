// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The frames of one write: small pieces copied into one buffer, long ones kept as references.
///
/// One sink serves all connections of an event loop, because a connection fills and empties it in
/// one go. The copied bytes stay in one allocation that is used again as soon as the socket has
/// taken them; slices of it are cut only when all is in place, so that appending never copies.
final class FrameSink {
  /// Longer pieces go by reference: below this, copying is cheaper than one more `iovec`.
  static let longestCopy = 4096

  /// A blocked connection pins the whole allocation, so it stays about this small.
  static let copyCapacity = 16 * 1024

  private struct Piece {
    var copiedEnd: Int  // copied bytes up to here come before `shared`
    var shared: ByteBuffer
  }

  private var copied = ByteBufferAllocator().buffer(capacity: copyCapacity)
  private var pieces: [Piece] = []

  /// Bytes in the sink.
  private(set) var count = 0

  /// Bytes of the sink that were copied.
  var copiedCount: Int { copied.readableBytes }

  func append(_ bytes: UnsafeRawBufferPointer) {
    copied.writeBytes(bytes)
    count += bytes.count
  }

  func appendLengthPrefix(_ length: UInt32, range: Range<Int>) {
    if range == 0..<OutboundMessage.lengthPrefixSize {
      copied.writeMultipleIntegers(UInt8(0), length)
    } else {
      withUnsafeBytes(of: (UInt64(length) << 24).bigEndian) { bytes in
        _ = copied.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
      }
    }
    count += range.count
  }

  func copy(_ buffer: ByteBuffer, at index: Int, length: Int) {
    buffer.withVeryUnsafeBytes { bytes in
      _ = copied.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[index..<index + length]))
    }
    count += length
  }

  func append(_ buffer: ByteBuffer, at index: Int, length: Int) {
    guard length > Self.longestCopy, let slice = buffer.getSlice(at: index, length: length) else {
      return copy(buffer, at: index, length: length)
    }
    pieces.append(Piece(copiedEnd: copied.writerIndex, shared: slice))
    count += length
  }

  /// Hands out everything in order and leaves the sink empty.
  func drain(_ write: (ByteBuffer) -> Void) {
    for piece in pieces {
      if let slice = copied.readSlice(length: piece.copiedEnd - copied.readerIndex),
        slice.readableBytes > 0
      {
        write(slice)
      }
      write(piece.shared)
    }
    if copied.readableBytes > 0 {
      write(copied)
    }
    pieces.removeAll(keepingCapacity: true)
    count = 0
  }

  /// Makes the copied bytes' allocation ready for the next connection.
  ///
  /// - Parameter isPinned: The last connection's socket has not taken all, so it keeps the
  ///   allocation and the sink takes a new one.
  func reset(isPinned: Bool) {
    if isPinned || copied.capacity > 4 * Self.copyCapacity {
      copied = ByteBufferAllocator().buffer(capacity: Self.copyCapacity)
    } else {
      copied.clear()
    }
  }
}
