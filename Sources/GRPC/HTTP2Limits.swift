// SPDX-License-Identifier: Apache-2.0

/// What one HTTP/2 connection may cost us, whatever its peer does.
package struct HTTP2Limits: Sendable {
  /// The largest message to accept, in bytes; a larger one ends its call with RESOURCE_EXHAUSTED.
  package var maxReceiveMessageSize = 4 * 1024 * 1024

  /// Bytes of unfinished messages over all streams; the call that goes beyond them is ended.
  package var maxBufferedBytes = 8 * 1024 * 1024

  /// Streams that a client may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS).
  package var maxConcurrentStreams = 100

  /// Bytes of one header block, counted as RFC 9113 §6.5.2 does.
  ///
  /// Above it a call is refused, above four times as much the connection ends.
  package var maxHeaderListSize = 16 * 1024

  /// Bytes that the peer may send on a stream before it must wait for us.
  package var streamWindow = 256 * 1024

  /// Bytes that the peer may send on the connection before it must wait for us.
  package var connectionWindow = 1024 * 1024

  /// Frames that carry nothing, in a burst; 100 more a second.
  ///
  /// Above it the connection ends.
  package var freeFrames = 1000
}
