// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import ObjectStore
import ServiceLifecycle
import Synchronization

/// The body of a watch: events until time is up, the client goes, or the log goes on without it.
///
/// A client that takes nothing for `patience` is let go: what is written and not read stays within the
/// buffers of its connection.
struct WatchStream: Sendable {
  /// What wakes a watch up.
  private enum Wake {
    case changes
    case tick
  }

  let store: any Store
  let makeCursor: @Sendable () async throws(APIStatus) -> (WatchCursor, initial: [[UInt8]])
  let sendsBookmarks: Bool
  let timeout: Duration
  let clock: any Clock<Duration>

  /// Between bookmarks, as in Kubernetes.
  private static let tick = Duration.seconds(60)
  private static let patience = Duration.seconds(15)
  /// Changes that are rendered at a time.
  private static let batch = 500

  /// How often a write was begun, and how often one was done.
  private final class Progress: Sendable {
    let counts = Mutex((begun: 0, done: 0))
  }

  /// Writes events to a connection; its end ends the watch.
  @concurrent func write(
    _ request: Request, _ channel: any Channel, to writer: inout any ResponseBodyWriter
  ) async throws {
    let (wakes, wake) = AsyncStream.makeStream(of: Wake.self, bufferingPolicy: .bufferingNewest(1))
    let progress = Progress()
    // Cancelled and awaited at the end of this scope.
    async let _: Void = ring(wake, await store.signals(), request, channel, progress)
    try await run(wakes, &writer, progress)
    try await writer.finish(nil)
  }

  /// Wakes the watch up when there is something to do, and ends it when it is time to.
  private func ring(
    _ wake: AsyncStream<Wake>.Continuation, _ signals: AsyncStream<Void>, _ request: Request,
    _ channel: any Channel, _ progress: Progress
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in signals { wake.yield(.changes) }
      }
      group.addTask {
        while true {
          try await clock.sleep(for: Self.tick, tolerance: nil)
          wake.yield(.tick)
        }
      }
      group.addTask {
        try await clock.sleep(for: timeout, tolerance: nil)
        wake.finish()
      }
      group.addTask {
        try await gracefulShutdown()
        wake.finish()
      }
      group.addTask {
        try await request.body.consumeWithInboundCloseHandler { _ in
          try await clock.sleep(for: timeout, tolerance: nil)
        } onInboundClosed: {
          wake.finish()
        }
      }
      group.addTask {
        while true {
          let before = progress.counts.withLock { $0 }
          try await clock.sleep(for: Self.patience, tolerance: nil)
          let after = progress.counts.withLock { $0 }
          if before.begun > before.done, after.done == before.done {
            channel.close(promise: nil)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @concurrent private func send(
    _ bytes: [UInt8], _ writer: inout any ResponseBodyWriter, _ progress: Progress
  ) async throws {
    guard !bytes.isEmpty else { return }
    progress.counts.withLock { $0.begun += 1 }
    try await writer.write(ByteBuffer(bytes: bytes))
    progress.counts.withLock { $0.done += 1 }
  }

  @concurrent private func run(
    _ wakes: AsyncStream<Wake>, _ writer: inout any ResponseBodyWriter, _ progress: Progress
  ) async throws {
    do {
      var (cursor, initial) = try await makeCursor()
      var buffer: [UInt8] = []
      for event in initial {
        buffer += event
        if buffer.count > 64 << 10 {
          try await send(buffer, &writer, progress)
          buffer = []
        }
      }
      try await send(buffer, &writer, progress)
      var isTick = false
      var iterator = wakes.makeAsyncIterator()
      repeat {
        while true {
          let changes = try await store.changes(after: cursor.position, limit: Self.batch)
          if changes.isEmpty { break }
          try await send(cursor.events(for: changes), &writer, progress)
        }
        if isTick, sendsBookmarks { try await send(cursor.bookmark(), &writer, progress) }
        guard let next = await iterator.next() else { return }
        isTick = next == .tick
      } while true
    } catch let error as StoreError {
      if case .compacted(let through) = error {
        let status = APIStatus.expired(
          "too old resource version: the log begins after \(through)")
        try await send(WatchCursor.error(status), &writer, progress)
      }
    } catch let status as APIStatus {
      try await send(WatchCursor.error(status), &writer, progress)
    }
  }
}
