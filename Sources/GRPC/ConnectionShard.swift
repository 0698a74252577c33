// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The connections of one event loop, and what they share on it.
///
/// Woken connections are written in one task per burst, so that waking a stream is a note in an
/// array and never re-enters whoever wakes it. One timer looks after all connections.
final class ConnectionShard {
  /// Connections written before other work of the loop gets its turn.
  private static let batch = 128

  let eventLoop: any EventLoop
  let callbacks = NGHTTP2Callbacks()
  let sink = FrameSink()
  private let sweepInterval: TimeAmount
  private var connections: [ObjectIdentifier: HTTP2ConnectionHandler] = [:]
  private var woken: [HTTP2ConnectionHandler] = []
  private var writing: [HTTP2ConnectionHandler] = []  // what was woken before the batch began
  private var written = 0  // how many of them have had their turn
  private var isScheduled = false  // there is one task for all that is woken
  private var sweep: Scheduled<Void>?
  private var drained: EventLoopPromise<Void>?

  init(eventLoop: any EventLoop, sweepInterval: TimeAmount) {
    self.eventLoop = eventLoop
    self.sweepInterval = sweepInterval
  }

  func add(_ connection: HTTP2ConnectionHandler) {
    connections[ObjectIdentifier(connection)] = connection
    if drained != nil { connection.close("the server is shutting down") }
    guard sweep == nil else { return }
    scheduleSweep()
  }

  func remove(_ connection: HTTP2ConnectionHandler) {
    connections[ObjectIdentifier(connection)] = nil
    guard connections.isEmpty else { return }
    sweep?.cancel()
    sweep = nil
    drained?.succeed()
  }

  /// Lets all connections go, each at a time of its own.
  ///
  /// - Parameters:
  ///   - time: Over how long the ends of their calls are spread.
  ///   - end: When the connections that are left are cut.
  /// - Returns: Succeeds when the last connection is gone.
  func drain(within time: TimeAmount, cutAfter end: TimeAmount) -> EventLoopFuture<Void> {
    let promise = drained ?? eventLoop.makePromise()
    drained = promise
    if connections.isEmpty { promise.succeed() }
    let now = eventLoop.now
    for connection in all {
      let delay = TimeAmount.nanoseconds(Int64.random(in: 0...time.nanoseconds))
      connection.drain(at: now + delay)
    }
    let cut = eventLoop.assumeIsolated().scheduleTask(in: end) {
      for connection in self.all { connection.close("the time to drain is over") }
    }
    promise.futureResult.whenComplete { _ in cut.cancel() }
    return promise.futureResult
  }

  /// Lets a connection write in the next turn of the loop.
  func enqueue(_ connection: HTTP2ConnectionHandler) {
    woken.append(connection)
    guard !isScheduled else { return }
    isScheduled = true
    scheduleWrites()
  }

  // A copy, because connections leave while they are gone through.
  private var all: [HTTP2ConnectionHandler] { Array(connections.values) }

  private func scheduleWrites() {
    eventLoop.assumeIsolatedUnsafeUnchecked().execute { self.writeAll() }
  }

  private func writeAll() {
    if writing.isEmpty { swap(&writing, &woken) }
    let end = min(written + Self.batch, writing.count)
    while written < end {
      writing[written].pump()
      written += 1
    }
    if written == writing.count {
      writing.removeAll(keepingCapacity: true)
      written = 0
    }
    isScheduled = !writing.isEmpty || !woken.isEmpty
    if isScheduled { scheduleWrites() }
  }

  private func scheduleSweep() {
    sweep = eventLoop.assumeIsolated().scheduleTask(in: sweepInterval) {
      self.scheduleSweep()
      self.lookAfterAll()
    }
  }

  private func lookAfterAll() {
    let now = eventLoop.now
    for connection in all { connection.check(at: now) }
  }
}
