// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One side of a call's messages, as the transport drives it.
///
/// Streams are pulled: whoever has news calls `wake()` on the call, and the transport asks for the
/// message when the peer can take one. What was overtaken in between is never built, and a peer
/// that does not read pins one message. Every function is called on the call's event loop, never
/// from inside a function of the call, and may use any call of the same loop.
package protocol GRPCStream: AnyObject {
  /// A whole message has come in.
  func receive(_ message: ByteBuffer)

  /// The peer will send no more messages.
  func receiveEnd()

  /// The next message to send, or nil to wait for `wake()`.
  ///
  /// Asked once after the call has opened, then whenever the previous message has been handed to the
  /// socket. A wake from inside is ignored: the answer itself counts.
  func nextMessage() -> OutboundMessage?

  /// The call is over. Called exactly once, whatever happened, and nothing after it.
  func closed(_ status: GRPCStatus)
}

/// A method that a server offers.
package protocol GRPCMethod: Sendable {
  /// The path of its requests, `/package.Service/Method`.
  var path: String { get }

  /// Begins a call, on the call's event loop.
  ///
  /// - Throws: The status to refuse the call with.
  func open(_ call: GRPCCall) throws(GRPCStatus) -> any GRPCStream
}
