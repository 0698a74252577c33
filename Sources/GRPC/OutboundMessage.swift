// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One message to send: a small private prefix and a tail that many streams share.
///
/// The bytes of the message are `prefix` followed by `shared`; the transport adds gRPC's own five
/// bytes. Protobuf fields may come in any order, so what differs between receivers (a nonce) goes
/// first and is copied, and what is the same for all (the resources) is sent by reference.
package struct OutboundMessage: Sendable {
  /// Bytes of this stream alone.
  ///
  /// Copied, so keep it small.
  package var prefix: ByteBuffer

  /// Bytes after the prefix.
  ///
  /// Long ones are never copied: all streams send the same storage.
  package var shared: ByteBuffer

  /// Makes a message of `prefix` followed by `shared`.
  package init(prefix: ByteBuffer = ByteBuffer(), shared: ByteBuffer) {
    self.prefix = prefix
    self.shared = shared
  }
}

extension OutboundMessage {
  /// The length prefix of gRPC: a flag for compression and four bytes of length.
  static let lengthPrefixSize = 5

  /// Bytes on the wire before HTTP/2 framing.
  var wireSize: Int {
    Self.lengthPrefixSize + prefix.readableBytes + shared.readableBytes
  }

  /// Puts the bytes `range` of the message's wire form into a sink.
  func write(_ range: Range<Int>, to sink: FrameSink) {
    var position = range.lowerBound
    if position < Self.lengthPrefixSize {
      let length = UInt32(prefix.readableBytes + shared.readableBytes)
      let end = min(range.upperBound, Self.lengthPrefixSize)
      sink.appendLengthPrefix(length, range: position..<end)
      position = end
    }
    let prefixEnd = Self.lengthPrefixSize + prefix.readableBytes
    if position < min(range.upperBound, prefixEnd) {
      let end = min(range.upperBound, prefixEnd)
      sink.copy(
        prefix, at: prefix.readerIndex + position - Self.lengthPrefixSize, length: end - position)
      position = end
    }
    if position < range.upperBound {
      sink.append(
        shared, at: shared.readerIndex + position - prefixEnd, length: range.upperBound - position)
    }
  }
}
