// SPDX-License-Identifier: Apache-2.0

import CNGHTTP2
import Logging
import NIOCore
import NIOTLS

/// Joins an `HTTP2Session` to a channel: bytes in, frames out, life and death.
///
/// Writes go to the channel only while it has nothing pending, which its watermarks of one byte
/// make `isWritable` say. So the next message is pulled when the last one is in the socket, and a
/// peer that has stopped reading pins one gather, no matter how many versions pass by.
final class HTTP2ConnectionHandler: ChannelInboundHandler, HTTP2SessionOwner {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// A channel's buffer counts as full with any byte in it.
  static let watermark = ChannelOptions.Types.WriteBufferWaterMark(low: 1, high: 1)

  /// Writes of one connection before others of its loop have their turn.
  private static let rounds = 4

  let session: HTTP2Session
  private let shard: ConnectionShard
  private let lifetime: ConnectionLifetime
  private let logger: Logger
  private var context: ChannelHandlerContext?
  private var keepalive: Keepalive
  private let openedAt: NIODeadline
  private let expiresAt: NIODeadline?
  private var drainsAt: NIODeadline?
  private var closesAt: NIODeadline?
  private var awaitsTLS: Bool
  private var hasHeard = false
  private var isPumpRequested = false
  private var isPumping = false
  private var isReading = false
  private var isFinishing = false
  private var closeReason: String?

  /// Succeeds when the peer has sent its SETTINGS; fails when that cannot be any more.
  let ready: EventLoopPromise<Void>
  /// Succeeds when the peer has sent GOAWAY or the connection has closed.
  let goAway: EventLoopPromise<Void>

  init(
    session: HTTP2Session, shard: ConnectionShard, lifetime: ConnectionLifetime, isTLS: Bool,
    logger: Logger
  ) {
    self.session = session
    self.shard = shard
    self.lifetime = lifetime
    self.logger = logger
    ready = session.eventLoop.makePromise()
    goAway = session.eventLoop.makePromise()
    awaitsTLS = isTLS
    let now = session.eventLoop.now
    openedAt = now
    keepalive = Keepalive(
      interval: lifetime.keepaliveInterval, timeout: lifetime.keepaliveTimeout, now: now)
    expiresAt = lifetime.jitteredAge().map { now + $0 }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    session.owner = self
    shard.add(self)
    if context.channel.isActive { begin(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
  }

  private func begin(_ context: ChannelHandlerContext) {
    session.remoteAddress = context.channel.remoteAddress
    if !awaitsTLS { sessionNeedsPump() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasHeard = true
    isReading = true
    let failure = unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
      do throws(HTTP2Session.Failure) {
        try session.receive(bytes)
        return HTTP2Session.Failure?.none
      } catch {
        return error
      }
    }
    if let failure { close(failure.reason) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    if session.isSettled { ready.succeed() }
    if session.isGoingAway { goAway.succeed() }
    pump()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    // Not at once: inside the channel's own flush, a fast reader would keep the loop here for ever.
    if !isPumping, context.channel.isWritable { sessionNeedsPump() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .handshakeCompleted(let agreed) = event as? TLSUserEvent else { return }
    guard agreed == "h2" else { return close("the peer did not agree on h2 by ALPN") }
    awaitsTLS = false
    sessionNeedsPump()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    close("\(error)")
  }

  func sessionNeedsPump() {
    guard !isPumpRequested else { return }
    isPumpRequested = true
    if !isReading || isPumping { shard.enqueue(self) }  // else it is pumped after the read
  }

  /// Writes what the session has, for as long as the socket takes it.
  func pump() {
    // From inside a pump there is nothing to do: it goes on until all is written.
    guard !isPumping else { return }
    isPumpRequested = false
    guard !awaitsTLS, !isFinishing, let context else { return }
    isPumping = true
    defer { isPumping = false }
    session.settle()
    if session.isAborted { return close("closed by its owner") }
    var isWritable = context.channel.isWritable
    for _ in 0..<Self.rounds {
      isPumpRequested = false
      guard isWritable, self.context != nil else { return }
      session.flushed()
      do throws(HTTP2Session.Failure) {
        try session.gather()
      } catch {
        session.sink.drain { _ in }  // it is everybody's
        session.sink.reset(isPinned: false)
        return close(error.reason)
      }
      guard session.sink.count > 0 else {
        if session.isFinished { finish(context) }
        return
      }
      session.sink.drain { context.write(wrapOutboundOut($0), promise: nil) }
      context.flush()
      isWritable = context.channel.isWritable
      session.sink.reset(isPinned: !isWritable)
    }
    // The others of the loop first, then the rest.
    isPumpRequested = true
    shard.enqueue(self)
  }

  /// Looks after the connection; called about once a second.
  func check(at now: NIODeadline) {
    if !session.isSettled, now - openedAt >= lifetime.handshakeTimeout {
      return close("no HTTP/2 handshake within \(lifetime.handshakeTimeout)")
    }
    if let closesAt, now >= closesAt {
      return close("the peer has not closed within \(lifetime.closeGrace)")
    }
    if let expiresAt, now >= expiresAt, drainsAt == nil {
      drain(at: now + lifetime.maxAgeGrace)
    }
    switch keepalive.check(at: now, heard: hasHeard) {
    case .none: break
    case .ping: session.ping()
    case .drop: return close("no answer to PING within \(lifetime.keepaliveTimeout)")
    }
    hasHeard = false
  }

  /// Announces the end of the connection: calls may go on until `time`, then they are ended.
  ///
  /// A connection without calls goes at once, one that is draining already when it planned to or at
  /// `time`, whichever is sooner.
  func drain(at time: NIODeadline) {
    if session.calls.isEmpty { return goAwayNow() }
    if drainsAt == nil { session.announceShutdown() }
    guard drainsAt.map({ time < $0 }) ?? true else { return }
    drainsAt = time
    shard.eventLoop.assumeIsolated().scheduleTask(deadline: time) { self.goAwayNow() }
  }

  private func goAwayNow() {
    guard context != nil, closesAt == nil else { return }
    closesAt = session.eventLoop.now + lifetime.closeGrace
    session.goAway(GRPCStatus(.unavailable, "the server is shutting this connection down"))
  }

  /// Ends our side and waits for the peer to end its own, because closing a socket that has unread
  /// bytes in it takes the last frames away from the peer.
  private func finish(_ context: ChannelHandlerContext) {
    isFinishing = true
    closesAt = closesAt ?? session.eventLoop.now + lifetime.closeGrace
    context.close(mode: .output, promise: nil)
  }

  /// Closes the channel at once; what it has not written is lost.
  func close(_ reason: String) {
    guard let context, closeReason == nil else { return }
    closeReason = reason
    context.close(promise: nil)
  }

  private func end() {
    guard context != nil else { return }
    context = nil
    shard.remove(self)
    let reason = closeReason ?? (isFinishing ? "finished" : "the peer has closed the connection")
    logger.debug("connection closed", metadata: ["reason": "\(reason)"])
    let status = GRPCStatus(.unavailable, "connection lost: \(reason)")
    session.tearDown(status)
    ready.fail(status)
    goAway.succeed()
  }
}
