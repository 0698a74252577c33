// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One call of either side, as the transport gives it to whoever handles it.
///
/// A call is confined to the event loop of its connection and is not `Sendable`. Its functions only
/// take notes: frames are made, and the stream is called back, later in the same turn of the loop
/// or in the next one, never from inside.
package final class GRPCCall {
  /// Which call this is, for logs: a connection's number and the HTTP/2 stream in it.
  package struct ID: Hashable, Sendable, CustomStringConvertible {
    /// Counts the connections of a server; 0 in a client.
    package let connection: UInt64
    /// The HTTP/2 stream identifier.
    package let stream: Int32

    package var description: String { "\(connection).\(stream)" }
  }

  /// What libnghttp2 does with the stream's DATA.
  enum Sending {
    case opening  // it has not been told of the stream
    case queued  // it will ask for bytes, now or when the flow-control window opens
    case deferred  // nothing to send; it asks again when it is told to
    case flushing  // a whole message has been framed and waits for the socket
  }

  /// How far the end of our side has come.
  enum Ending {
    case open
    case draining(GRPCStatus)  // server: what the stream still has goes first
    case halfClosing  // client: END_STREAM after what the stream still has
    case done  // trailers, END_STREAM or RST_STREAM have been given to libnghttp2
  }

  /// Which call this is.
  package internal(set) var id: ID

  /// The method, `/package.Service/Method`.
  package let path: String

  /// The metadata of the request, without pseudo-headers and the fields of the transport.
  package let headers: [(name: String, value: String)]

  /// The peer's address; nil when there is no socket.
  package let remoteAddress: SocketAddress?

  /// The loop that everything about this call happens on.
  package let eventLoop: any EventLoop

  /// When the call ends at the latest: the request's `grpc-timeout`.
  package internal(set) var deadline: NIODeadline?

  /// In a client: the metadata that the server has answered with.
  package internal(set) var responseHeaders: [(name: String, value: String)] = []

  /// In a client: the metadata after the last message.
  package internal(set) var trailers: [(name: String, value: String)] = []

  var session: HTTP2Session?
  var stream: (any GRPCStream)?
  var reader = GRPCMessageReader()
  var isReceiving = true
  var message: OutboundMessage?
  var messageOffset = 0
  var sending = Sending.opening
  var ending = Ending.open
  var endStatus: GRPCStatus?
  var deadlineTask: Scheduled<Void>?

  init(
    id: ID, path: String, headers: HeaderList, remoteAddress: SocketAddress?,
    session: HTTP2Session
  ) {
    self.id = id
    self.path = path
    self.headers = headers
    self.remoteAddress = remoteAddress
    self.session = session
    eventLoop = session.eventLoop
  }

  /// The call is over, or about to be told so.
  package var isClosed: Bool { stream == nil }

  /// Bytes of the message under way that the socket has not been given.
  package var pendingBytes: Int { message.map { $0.wireSize - messageOffset } ?? 0 }

  /// The first value of a metadata field, by its lower-case name.
  package func header(_ name: String) -> String? {
    headers.first { $0.name == name }?.value
  }

  /// Asks the transport to pull: `nextMessage` is called as soon as the stream can take a message.
  ///
  /// Any number of wakes before that are one. Ignored once the call is over.
  package func wake() {
    guard case .deferred = sending, let session else { return }
    sending = .queued
    session.resume(self)
  }

  /// Ends the call.
  ///
  /// In a server, `.ok` lets the stream drain: it is pulled until it answers nil, then the trailers
  /// go out. Any other status goes out at once, even inside a message. In a client the call is
  /// cancelled, and the stream is told `status`.
  package func finish(_ status: GRPCStatus = .ok) {
    session?.finish(self, status)
  }

  /// In a client: says that no message comes after those that the stream still has.
  package func halfClose() {
    guard case .open = ending, let session else { return }
    precondition(session.role == .client, "a server ends its side of a call with a status")
    ending = .halfClosing
    wake()
  }

  /// Sheds the peer: its whole connection is closed, without ceremony, in the next turn of the loop.
  package func closeConnection() {
    session?.abort()
  }

  /// The next message, if the stream has one and its side has not ended.
  func pull() -> Bool {
    switch ending {
    case .done: return false
    case .draining(let status) where status.code != .ok: return false
    default: break
    }
    message = stream?.nextMessage()
    messageOffset = 0
    if case .done = ending { message = nil }  // it ended the call while it was asked
    return message != nil
  }

  /// Tells the stream how the call ended, once, and lets go of it.
  func conclude(_ status: GRPCStatus) {
    deadlineTask?.cancel()
    deadlineTask = nil
    message = nil
    isReceiving = false
    reader = GRPCMessageReader()
    ending = .done
    guard let stream else { return }
    self.stream = nil
    stream.closed(status)
  }
}
