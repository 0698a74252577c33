// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import EnvoyAPI
package import GRPC
import MeshModel
import NIOCore
package import WasmModules
import XDS

/// The ADS stream of one Envoy with its stream to skiffd: messages in, messages and actions out.
///
/// A value without clock, lock or I/O. Most types pass through as bytes. Of extension configurations
/// and listeners the agent is a server to Envoy and a client to skiffd, because a resource whose Wasm
/// module is on its way must wait without holding back any other.
///
/// Messages are pulled, by `nextToEnvoy` and `nextUpstream`, when a side can take one; everything
/// else answers what its owner has to do.
package struct RelayState {
  package struct Configuration: Sendable {
    /// False passes everything through.
    package var intercepts = true
    /// Whether the upstream is told of modules; a server that is not Skiff takes a report for the
    /// rejection of a type that it never sent, which not every one survives.
    package var reportsModules = true
    /// How long an answer to skiffd waits for Envoy's.
    package var answerPatience = Duration.milliseconds(500)
    /// Bytes that may wait for an Envoy that reads nothing.
    package var backlogLimit = 64 * 1024 * 1024
    package init() {}
  }

  /// Why a stream cannot go on.
  package struct Fault: Error, Hashable {
    package var status: GRPCStatus
  }

  /// A message to skiffd.
  enum UpstreamMessage {
    /// As it came from Envoy.
    case forwarded(ByteBuffer, typeURL: String, isNACK: Bool)
    case request(DiscoveryRequestMessage)
    case report([ModuleStatus])
  }

  // Envoy uses a dozen types.
  private static let typeLimit = 64
  // Coalesced, so that only rejections can pile up.
  private static let outboxLimit = 1024

  let configuration: Configuration
  let rules: SupplyRules
  /// Of this agent's own responses.
  var envoy: StreamState
  var node: Envoy_Config_Core_V3_Node?
  var relayed: [String: RelayedType] = [:]
  var intercepted: [InterceptedType]
  /// In the order of the first requests.
  var typeURLs: [String] = []
  var sequence: UInt64 = 0
  /// Whether there is an upstream stream.
  private(set) var isConnected = false
  private var isFirstUpstream = true
  private var outbox: [UpstreamMessage] = []
  private var backlog: [ByteBuffer] = []
  private var backlogBytes = 0
  var reporting = SupplyReport()
  /// How many supplies were looked at because something happened to them.
  package internal(set) var reviewCount = 0

  /// Makes the state of a new stream; `streamID` begins the nonces that Envoy sees.
  package init(configuration: Configuration, rules: SupplyRules, streamID: String) {
    self.configuration = configuration
    self.rules = rules
    envoy = StreamState(streamID: streamID, retriesSuspectsAtOnce: true)
    intercepted =
      configuration.intercepts
      ? [InterceptedType(.extensionConfig), InterceptedType(.listener)] : []
  }

  /// Whether Envoy has asked for anything, so that an upstream stream has a use.
  package var wantsUpstream: Bool { !typeURLs.isEmpty }

  /// Whether Envoy has accepted the newest of all that it has asked the agent itself for.
  package var isSupplied: Bool {
    let reports = intercepted.compactMap { envoy.report(on: $0.typeURL) }
    return !reports.isEmpty && reports.allSatisfy { $0.status == .synced }
  }

  /// When `tick` wants to be called.
  package var deadline: ContinuousClock.Instant? {
    var earliest: ContinuousClock.Instant?
    for type in intercepted {
      if isConnected, let answer = type.answer, answer.verdict == .none {
        earliest = min(earliest ?? answer.deadline, answer.deadline)
      }
      for next in type.nextAttempts.values { earliest = min(earliest ?? next, next) }
    }
    return earliest
  }

  /// The next message to Envoy, counted as sent.
  package mutating func nextToEnvoy(at now: ContinuousClock.Instant) -> OutboundMessage? {
    if !backlog.isEmpty {
      let message = backlog.removeFirst()
      backlogBytes -= message.readableBytes
      return OutboundMessage(shared: message)
    }
    guard let response = envoy.next(at: now) else { return nil }
    if let index = position(of: response.typeURL) {
      intercepted[index].unansweredNonce = response.nonce
    }
    return OutboundMessage(
      prefix: ByteBuffer(bytes: ResponseEncoding.noncePrefix(response.nonce)),
      shared: ByteBuffer(bytes: ResponseEncoding.body(of: response)))
  }

  /// The next message to skiffd; `unixTime` is the time since 1970 of an instant.
  package mutating func nextUpstream(
    unixTime: (ContinuousClock.Instant) -> Duration
  ) -> OutboundMessage? {
    guard isConnected, !outbox.isEmpty else { return nil }
    switch outbox.removeFirst() {
    case .forwarded(let bytes, _, _): return OutboundMessage(shared: bytes)
    case .request(let request):
      return OutboundMessage(shared: ByteBuffer(bytes: request.deterministicBytes()))
    case .report(let statuses):
      let request = DiscoveryRequestMessage(
        reporting: Skiff_Agent_V1_WasmModuleReport(statuses, unixTime: unixTime))
      return OutboundMessage(shared: ByteBuffer(bytes: request.deterministicBytes()))
    }
  }

  /// Does what is due: answers that waited long enough, fetches to try again.
  package mutating func tick(at now: ContinuousClock.Instant) -> [RelayAction] {
    var actions: [RelayAction] = []
    for index in intercepted.indices {
      let due = intercepted[index].nextAttempts.filter { $0.value <= now }
      for name in due.keys.sorted() {
        intercepted[index].supplies[name]?.tick(rules: rules, at: now, actions: &actions)
        intercepted[index].touched.insert(name)
      }
    }
    settle(at: now, actions: &actions)
    return actions
  }

  /// Takes the result of a fetch that `start` asked for.
  package mutating func complete(
    _ work: ModuleWork.ID, with result: Result<Module, ModuleError>,
    at now: ContinuousClock.Instant
  ) -> [RelayAction] {
    guard let index = position(of: work.typeURL) else { return [] }
    var actions: [RelayAction] = []
    intercepted[index].supplies[work.resource]?
      .complete(work, with: result, rules: rules, at: now, actions: &actions)
    intercepted[index].touched.insert(work.resource)
    settle(at: now, actions: &actions)
    return actions
  }

  /// An upstream stream is there: everything that Envoy wants is asked for.
  package mutating func upstreamOpened(at now: ContinuousClock.Instant) -> [RelayAction] {
    upstreamClosed()
    isConnected = true
    isFirstUpstream = true
    for typeURL in typeURLs {
      if let index = position(of: TypeURL(rawValue: typeURL)) {
        sendUpstream(.request(request(for: intercepted[index])))
      } else if let replay = relayed[typeURL]?.replay {
        sendUpstream(.request(replay))
      }
    }
    var actions: [RelayAction] = []
    reporting.forgetReported()
    for index in intercepted.indices {
      intercepted[index].touched.formUnion(intercepted[index].supplies.keys)
    }
    settle(at: now, actions: &actions)
    return actions
  }

  /// The upstream stream is gone; Envoy does not notice.
  package mutating func upstreamClosed() {
    isConnected = false
    outbox = []
    for typeURL in relayed.keys { relayed[typeURL]?.forgetNonces() }
    for index in intercepted.indices { intercepted[index].answer = nil }
  }

  func position(of typeURL: TypeURL) -> Int? {
    intercepted.firstIndex { $0.typeURL == typeURL }
  }

  /// Remembers a type; false if there are too many.
  mutating func admit(_ typeURL: String) -> Bool {
    if typeURLs.contains(typeURL) { return true }
    guard typeURLs.count < Self.typeLimit else { return false }
    typeURLs.append(typeURL)
    return true
  }

  /// Queues a response for Envoy as it is.
  mutating func forward(_ message: ByteBuffer) throws(Fault) {
    backlogBytes += message.readableBytes
    guard backlogBytes <= configuration.backlogLimit else {
      throw Fault(status: GRPCStatus(.resourceExhausted, "the proxy does not read its responses"))
    }
    backlog.append(message)
  }

  /// Queues a message upstream; a newer request of a type makes an unsent one needless.
  mutating func sendUpstream(_ message: UpstreamMessage) {
    guard isConnected else { return }
    if case .forwarded(_, let typeURL, _) = message {
      let former = outbox.firstIndex {
        if case .forwarded(_, typeURL, isNACK: false) = $0 { true } else { false }
      }
      if let former { outbox.remove(at: former) }
    }
    // Not the first, which says who Envoy is.
    if outbox.count >= Self.outboxLimit { outbox.remove(at: 1) }
    if case .request(var request) = message, isFirstUpstream, let node {
      request.node = node
      isFirstUpstream = false
      outbox.append(.request(request))
    } else {
      outbox.append(message)
    }
  }
}
