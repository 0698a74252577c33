// SPDX-License-Identifier: Apache-2.0

import GRPC
import Logging
import NIOCore
import Prometheus
import WasmModules

/// The way to skiffd for one stream of Envoy: connects, opens the stream, and does so again.
///
/// When skiffd says goodbye (GOAWAY) there is a new connection before the old one is let go of. When
/// the connection breaks, or skiffd refuses the stream, it tries again after a backoff. Envoy's stream
/// is never touched by it.
final class UpstreamLink {
  /// What is done to get a stream.
  private enum Attempt {
    case none
    case connecting
    case waiting(Scheduled<Void>)
  }

  private unowned let stream: RelayStream
  private let relay: ADSRelay
  private let eventLoop: any EventLoop
  private var current: UpstreamCall?
  private var attempt = Attempt.none
  /// In a row, without a response in between.
  private var failures = 0
  private var isClosed = false

  init(stream: RelayStream, relay: ADSRelay, eventLoop: any EventLoop) {
    self.stream = stream
    self.relay = relay
    self.eventLoop = eventLoop
  }

  func wake() { current?.call.wake() }

  func close() {
    isClosed = true
    if case .waiting(let timer) = attempt { timer.cancel() }
    attempt = .none
    let former = current
    current = nil
    former?.end()
  }

  func connect() {
    guard !isClosed else { return }
    attempt = .connecting
    let link = NIOLoopBound(self, eventLoop: eventLoop)
    let (configuration, logger, loop) = (relay.configuration, relay.logger, eventLoop)
    relay.perform {
      do {
        let client = try await GRPCClient.connect(
          to: configuration.upstream, configuration: configuration.client, on: loop,
          logger: logger)
        link.execute { $0.connected(client) }
      } catch {
        link.execute { $0.failed("\(error)") }
      }
    }
  }

  private func connected(_ client: GRPCClient) {
    attempt = .none
    guard !isClosed else {
      client.close()
      return
    }
    var made: UpstreamCall?
    do throws(GRPCStatus) {
      try client.open(
        RelayMethod.path, headers: relay.configuration.headers.map { ($0.name, $0.value) }
      ) { call in
        let upstream = UpstreamCall(call: call, client: client, link: self)
        made = upstream
        return upstream
      }
    } catch {
      client.close()
      failed("\(error)")
      return
    }
    let former = current
    current = made
    stream.upstreamOpened()
    former?.end()
    relay.logger.info("connected to the control plane", metadata: ["stream": "\(stream.id)"])
    let link = NIOLoopBound(self, eventLoop: eventLoop)
    client.goAwayFuture.whenSuccess { link.execute { $0.move(from: client) } }
  }

  /// The server wants to be left.
  private func move(from client: GRPCClient) {
    guard !isClosed, current?.client === client, case .none = attempt else { return }
    connect()
  }

  private func failed(_ reason: String) {
    guard !isClosed else { return }
    relay.metrics.upstreamFailures.increment()
    retry(because: reason)
  }

  fileprivate func closed(_ call: UpstreamCall, _ status: GRPCStatus) {
    guard current === call else { return }
    current = nil
    call.client.close()
    stream.upstreamClosed()
    relay.metrics.upstreamTerminations.increment(status.termination)
    if case .none = attempt { retry(because: "\(status)") }
  }

  fileprivate func receive(_ message: ByteBuffer, from call: UpstreamCall) {
    guard current === call else { return }
    failures = 0
    do throws(RelayState.Fault) {
      try stream.receiveFromUpstream(message)
    } catch  where error.status.code == .resourceExhausted {
      stream.fail(error.status)
    } catch {
      call.call.finish(error.status)
    }
  }

  fileprivate func nextMessage(of call: UpstreamCall) -> OutboundMessage? {
    current === call ? stream.nextUpstream() : nil
  }

  private func retry(because reason: String) {
    guard !isClosed else { return }
    failures += 1
    let delay = relay.configuration.reconnect.delay(
      afterFailures: failures, chance: relay.configuration.random())
    relay.logger.warning(
      "no stream to the control plane",
      metadata: [
        "stream": "\(stream.id)", "reason": "\(reason)", "attempt": "\(failures)",
        "nextTry": "\(delay.inMilliseconds)",
      ])
    let link = NIOLoopBound(self, eventLoop: eventLoop)
    attempt = .waiting(eventLoop.scheduleTask(in: TimeAmount(delay)) { link.value.connect() })
  }
}

/// The agent's side of a stream to skiffd, on a connection of its own.
private final class UpstreamCall: GRPCStream {
  let call: GRPCCall
  let client: GRPCClient
  private let link: UpstreamLink

  init(call: GRPCCall, client: GRPCClient, link: UpstreamLink) {
    self.call = call
    self.client = client
    self.link = link
  }

  func receive(_ message: ByteBuffer) { link.receive(message, from: self) }

  func receiveEnd() {}

  func nextMessage() -> OutboundMessage? { link.nextMessage(of: self) }

  func closed(_ status: GRPCStatus) { link.closed(self, status) }

  func end() {
    call.finish(GRPCStatus(.cancelled, "the proxy's stream has ended or moved"))
    client.close()
  }
}
