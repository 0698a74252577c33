// SPDX-License-Identifier: Apache-2.0

import GRPC
import Logging
import NIOCore
import Prometheus
import WasmModules

/// Envoy's side of a relayed stream: owns the state, and does what it says.
///
/// Lives on the event loop of Envoy's connection, as its `UpstreamLink` does.
final class RelayStream: GRPCStream {
  private let call: GRPCCall
  private let relay: ADSRelay
  let id: String
  private var state: RelayState
  /// Nil before Envoy has asked for anything, and after its end.
  private var link: UpstreamLink?
  private var fetches: [ModuleWork.ID: AsyncStream<Never>.Continuation] = [:]
  private var timer: (task: Scheduled<Void>, deadline: ContinuousClock.Instant)?
  private var isClosed = false

  init(call: GRPCCall, relay: ADSRelay) {
    self.call = call
    self.relay = relay
    id = relay.nextStreamID()
    state = RelayState(
      configuration: relay.configuration.state, rules: relay.rules, streamID: id)
    relay.streams.joined(id)
    relay.logger.info("proxy connected", metadata: ["stream": "\(id)"])
  }

  func receive(_ message: ByteBuffer) {
    relay.metrics.requests.increment()
    do throws(RelayState.Fault) {
      perform(try state.receiveFromEnvoy(message, at: .now))
    } catch {
      relay.logger.warning(
        "refusing the proxy's stream",
        metadata: ["stream": "\(id)", "reason": "\(error.status.message)"])
      call.finish(error.status)
      return
    }
    if relay.streams.isHandingOver, state.isSupplied { relay.streams.endHandover() }
    guard link == nil, state.wantsUpstream else { return }
    let link = UpstreamLink(stream: self, relay: relay, eventLoop: call.eventLoop)
    self.link = link
    link.connect()
  }

  func receiveEnd() { call.finish(.ok) }

  func nextMessage() -> OutboundMessage? { state.nextToEnvoy(at: .now) }

  func closed(_ status: GRPCStatus) {
    isClosed = true
    relay.metrics.envoyTerminations.increment(status.termination)
    relay.logger.info(
      "proxy disconnected", metadata: ["stream": "\(id)", "status": "\(status.code)"])
    link?.close()
    link = nil
    timer?.task.cancel()
    timer = nil
    for continuation in fetches.values { continuation.finish() }
    fetches = [:]
    relay.streams.left(id, on: call.eventLoop)
  }

  /// The link has a stream to skiffd.
  func upstreamOpened() { perform(state.upstreamOpened(at: .now)) }

  func upstreamClosed() {
    state.upstreamClosed()
    relay.streams.set(served: false, for: id)
  }

  func nextUpstream() -> OutboundMessage? {
    state.nextUpstream { self.relay.unixTime(of: $0) }
  }

  /// Takes a message of skiffd.
  func receiveFromUpstream(_ message: ByteBuffer) throws(RelayState.Fault) {
    relay.metrics.responses.increment()
    let actions = try state.receiveFromUpstream(message, at: .now)
    relay.streams.set(served: true, for: id)
    perform(actions)
  }

  /// Ends Envoy's stream, which comes again by itself.
  func fail(_ status: GRPCStatus) {
    relay.logger.warning(
      "ending the proxy's stream", metadata: ["stream": "\(id)", "reason": "\(status.message)"])
    call.closeConnection()
  }

  private func perform(_ actions: [RelayAction]) {
    for action in actions {
      switch action {
      case .start(let work): fetch(work)
      case .cancel(let works):
        for work in works { fetches.removeValue(forKey: work)?.finish() }
      case .use(let paths): relay.streams.set(inUse: paths, for: id)
      case .note(let note): tell(note, relay)
      }
    }
    schedule()
    call.wake()
    link?.wake()
  }

  private func fetch(_ work: ModuleWork) {
    let (ended, continuation) = AsyncStream<Never>.makeStream()
    fetches[work.id] = continuation
    let stream = NIOLoopBound(self, eventLoop: call.eventLoop)
    relay.fetch(work, until: ended) { result in
      stream.execute { $0.fetched(work, result) }
    }
  }

  private func fetched(_ work: ModuleWork, _ result: Result<Module, ModuleError>) {
    guard !isClosed, fetches.removeValue(forKey: work.id) != nil else { return }
    perform(state.complete(work.id, with: result, at: .now))
  }

  /// One timer, for whatever is due first.
  private func schedule() {
    guard let deadline = state.deadline, !isClosed else {
      timer?.task.cancel()
      timer = nil
      return
    }
    guard deadline != timer?.deadline else { return }
    timer?.task.cancel()
    // Not before the deadline: the loop's clock is another, and may be early by a hair.
    let delay = TimeAmount(max(.zero, ContinuousClock.now.duration(to: deadline)))
    let stream = NIOLoopBound(self, eventLoop: call.eventLoop)
    let task = call.eventLoop.scheduleTask(in: delay + .microseconds(100)) {
      stream.value.timer = nil
      stream.value.perform(stream.value.state.tick(at: .now))
    }
    timer = (task, deadline)
  }
}

extension NIOLoopBound {
  /// Does something with the value on its loop.
  func execute(_ body: @escaping @Sendable (Value) -> Void) {
    eventLoop.execute { body(value) }
  }
}

extension GRPCStatus {
  /// How a stream ended, as Istio's agent labels it.
  var termination: String { code == .ok || code == .cancelled ? "cancelled" : "error" }
}
