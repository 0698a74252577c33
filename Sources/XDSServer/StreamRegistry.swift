// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The open ADS streams, kept by the event loop that each lives on.
///
/// A change reaches all streams of a loop by one task on that loop, so a push costs a hop for each
/// loop and not for each proxy.
final class StreamRegistry: Sendable {
  /// The streams of one loop; only ever touched on it.
  private final class LoopStreams {
    var streams: [ObjectIdentifier: ADSStream] = [:]
  }

  // About what the second-level cache holds of connections.
  private static let batch = 32

  private let loops: [ObjectIdentifier: NIOLoopBoundBox<LoopStreams>]

  init(group: any EventLoopGroup) {
    loops = group.makeIterator().reduce(into: [:]) { loops, loop in
      loops[ObjectIdentifier(loop)] = NIOLoopBoundBox.makeBoxSendingValue(
        LoopStreams(), eventLoop: loop)
    }
  }

  /// Adds a stream; on its event loop.
  func add(_ stream: ADSStream, on loop: any EventLoop) {
    streams(on: loop).streams[ObjectIdentifier(stream)] = stream
  }

  /// Removes a stream; on its event loop.
  func remove(_ stream: ADSStream, on loop: any EventLoop) {
    streams(on: loop).streams[ObjectIdentifier(stream)] = nil
  }

  /// Does something with every stream, on its loop; returns at once.
  ///
  /// A few at a time: what was woken is written before the next ones, while its memory is still in
  /// the processor's caches, and other work of the loop does not wait for all of them.
  func forEach(_ body: @escaping @Sendable (ADSStream) -> Void) {
    for box in loops.values {
      box.eventLoop.execute {
        Self.visit(ArraySlice(box.value.streams.values), on: box.eventLoop, body)
      }
    }
  }

  private static func visit(
    _ streams: ArraySlice<ADSStream>, on loop: any EventLoop,
    _ body: @escaping @Sendable (ADSStream) -> Void
  ) {
    for stream in streams.prefix(batch) { body(stream) }
    let rest = streams.dropFirst(batch)
    guard !rest.isEmpty else { return }
    loop.assumeIsolated().execute { visit(rest, on: loop, body) }
  }

  /// Gathers a value of every stream.
  func map<Value: Sendable>(
    _ transform: @escaping @Sendable (ADSStream) -> Value?
  ) async -> [Value] {
    var values: [Value] = []
    for box in loops.values {
      let part = try? await box.eventLoop.submit { box.value.streams.values.compactMap(transform) }
        .get()
      values += part ?? []
    }
    return values
  }

  private func streams(on loop: any EventLoop) -> LoopStreams {
    guard let box = loops[ObjectIdentifier(loop)] else {
      preconditionFailure("a stream lives on a loop of another group")
    }
    return box.value
  }
}
