// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPC
import MeshModel
package import NIOCore
import SwiftProtobuf
import XDS

extension RelayState {
  /// Takes a DiscoveryRequest of Envoy.
  package mutating func receiveFromEnvoy(
    _ message: ByteBuffer, at now: ContinuousClock.Instant
  ) throws(Fault) -> [RelayAction] {
    let request = try Self.decode(message)
    if request.hasNode { node = request.node }
    guard admit(request.typeURL) else { return [] }
    guard let index = position(of: TypeURL(rawValue: request.typeURL)) else {
      relay(request, message)
      return []
    }
    var actions: [RelayAction] = []
    receive(request, at: index, now, actions: &actions)
    return actions
  }

  private static func decode(_ message: ByteBuffer) throws(Fault) -> DiscoveryRequestMessage {
    do {
      return try DiscoveryRequestMessage(serializedBytes: Array(buffer: message))
    } catch {
      throw Fault(
        status: GRPCStatus(.invalidArgument, "expected a DiscoveryRequest: \(error)"))
    }
  }

  /// Passes a request on, unless it answers what another upstream stream sent.
  private mutating func relay(_ request: DiscoveryRequestMessage, _ message: ByteBuffer) {
    let typeURL = request.typeURL
    guard var type = relayed[typeURL] else {
      var type = RelayedType(request)
      type.note(request)
      relayed[typeURL] = type
      var first = request
      first.clearNode()
      sendUpstream(.request(first))
      return
    }
    let isKnown = request.responseNonce.isEmpty || type.knows(request.responseNonce)
    let hasNewNames = Set(type.latest.resourceNames) != Set(request.resourceNames)
    type.note(request)
    relayed[typeURL] = type
    if isKnown {
      sendUpstream(
        .forwarded(message, typeURL: typeURL, isNACK: request.hasErrorDetail))
    } else if hasNewNames && !type.awaitsAnswer {
      sendUpstream(.request(type.replay))
    }
  }

  /// Takes a request of a type that the agent itself serves.
  private mutating func receive(
    _ message: DiscoveryRequestMessage, at index: Int, _ now: ContinuousClock.Instant,
    actions: inout [RelayAction]
  ) {
    let request = DiscoveryRequest(
      typeURL: intercepted[index].typeURL, versionInfo: message.versionInfo,
      resourceNames: message.resourceNames,
      responseNonce: message.responseNonce.isEmpty ? nil : Nonce(rawValue: message.responseNonce),
      errorDetail: message.hasErrorDetail ? message.errorDetail.message : nil)
    if intercepted[index].isOpen {
      guard handle(request, at: index, now, actions: &actions) else { return }
    } else {
      intercepted[index].hold(request)
    }
    subscribe(index, to: request.resourceNames, at: now, actions: &actions)
    settle(at: now, actions: &actions)
  }

  /// Answers whether the request's names count.
  private mutating func handle(
    _ request: DiscoveryRequest, at index: Int, _ now: ContinuousClock.Instant,
    actions: inout [RelayAction]
  ) -> Bool {
    switch envoy.handle(request, at: now) {
    case .stale, .ignored: return false
    case .subscribed, .unsubscribed, .repeated: return true
    case .acked: break
    case .rejected(let rejection): actions.append(.note(.rejected(rejection)))
    }
    intercepted[index].unansweredNonce = nil
    return true
  }

  /// Lets Envoy be answered, once that takes nothing away from it.
  mutating func openIfPossible(
    _ index: Int, at now: ContinuousClock.Instant, actions: inout [RelayAction]
  ) {
    guard !intercepted[index].isOpen, intercepted[index].mayOpen else { return }
    intercepted[index].isOpen = true
    let held = intercepted[index].held
    intercepted[index].held = []
    for request in held { _ = handle(request, at: index, now, actions: &actions) }
  }

  private mutating func subscribe(
    _ index: Int, to names: [String], at now: ContinuousClock.Instant,
    actions: inout [RelayAction]
  ) {
    let former = intercepted[index].names
    intercepted[index].names = names
    guard former.map(Set.init) != Set(names) else { return }
    for (name, supply) in intercepted[index].supplies where !intercepted[index].wants(name) {
      supply.abandon(actions: &actions)
      intercepted[index].supplies[name] = nil
      intercepted[index].touched.insert(name)
    }
    // A subscription does not wait for modules: what is unanswered is answered with it.
    if let answer = intercepted[index].answer, answer.verdict == .none {
      intercepted[index].answer?.deadline = now
    } else {
      sendUpstream(.request(request(for: intercepted[index])))
    }
  }
}
