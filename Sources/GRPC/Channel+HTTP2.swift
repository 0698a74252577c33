// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import NIOCore

/// How a socket's channel becomes an HTTP/2 connection; the same in servers and clients.
extension Channel {
  /// Adds the session to the pipeline, behind TLS if there is any.
  func installHTTP2(
    _ session: HTTP2Session, on shard: ConnectionShard, lifetime: ConnectionLifetime, isTLS: Bool,
    logger: Logger
  ) throws {
    let handler = HTTP2ConnectionHandler(
      session: session, shard: shard, lifetime: lifetime, isTLS: isTLS, logger: logger)
    let operations = pipeline.syncOperations
    let options = syncOptions
    try options?.setOption(.writeBufferWaterMark, value: HTTP2ConnectionHandler.watermark)
    // Requests are small, and the buffer of the last read stays with the connection.
    try options?.setOption(
      .recvAllocator,
      value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 65536))
    try setCloseOnExec()
    try operations.addHandler(handler)
  }

  /// Keeps the socket from programs that this one starts.
  func setCloseOnExec() throws {
    try pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
  }

  /// As a future, for a bootstrap.
  func closeOnExec() -> EventLoopFuture<Void> {
    eventLoop.makeCompletedFuture { try setCloseOnExec() }
  }
}

extension ChannelOption where Self == ChannelOptions.Types.SocketOption {
  /// How many unsent bytes the kernel takes (TCP_NOTSENT_LOWAT).
  static var unsentBytes: Self { .tcpOption(NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)) }
}
