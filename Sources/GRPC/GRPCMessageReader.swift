// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Cuts the DATA bytes of one stream into messages.
///
/// Each message has five bytes before it, a flag for compression and a length. A length above the
/// limit is refused before anything is stored, so a stream holds at most one message of legal size.
struct GRPCMessageReader {
  /// Bytes of the message that is not yet whole.
  private(set) var buffered = 0

  private var lengthPrefix: UInt64 = 0  // the bytes of the length prefix so far
  private var lengthPrefixCount = 0
  private var message: ByteBuffer?
  private var missing = 0

  /// Nothing of a further message has come in.
  var isBetweenMessages: Bool { lengthPrefixCount == 0 }

  /// Takes bytes until one message is whole or the bytes are used up.
  ///
  /// - Parameters:
  ///   - bytes: What has come in; what was taken is removed.
  ///   - limit: The largest message to accept, in bytes.
  /// - Returns: A whole message, or nil when more bytes are needed.
  /// - Throws: The status to end the call with.
  mutating func next(
    from bytes: inout UnsafeRawBufferPointer, limit: Int
  ) throws(GRPCStatus) -> ByteBuffer? {
    while lengthPrefixCount < OutboundMessage.lengthPrefixSize {
      guard let byte = bytes.first else { return nil }
      lengthPrefix = lengthPrefix << 8 | UInt64(byte)
      lengthPrefixCount += 1
      bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
      if lengthPrefixCount == OutboundMessage.lengthPrefixSize {
        try readLengthPrefix(limit: limit)
      }
    }
    let count = min(missing, bytes.count)
    message?.writeBytes(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
    bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(count))
    missing -= count
    buffered += count
    guard missing == 0 else { return nil }
    let whole = message
    self = GRPCMessageReader()
    return whole
  }

  private mutating func readLengthPrefix(limit: Int) throws(GRPCStatus) {
    let flag = lengthPrefix >> 32
    guard flag == 0 else {
      throw GRPCStatus(
        .internalError,
        flag == 1
          ? "a compressed message without a grpc-encoding"
          : "compression flag \(flag) is not 0 or 1")
    }
    missing = Int(lengthPrefix & 0xffff_ffff)
    guard missing <= limit else {
      throw GRPCStatus(
        .resourceExhausted, "a message of \(missing) bytes is larger than the limit of \(limit)")
    }
    // The announced length is only a claim: memory grows with what really comes in.
    message = ByteBufferAllocator().buffer(capacity: min(missing, 16 * 1024))
  }
}
