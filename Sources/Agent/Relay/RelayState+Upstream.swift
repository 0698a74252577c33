// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPC
import MeshModel
package import NIOCore
import XDS

extension RelayState {
  /// Takes a DiscoveryResponse of skiffd.
  package mutating func receiveFromUpstream(
    _ message: ByteBuffer, at now: ContinuousClock.Instant
  ) throws(Fault) -> [RelayAction] {
    do throws(MalformedMessage) {
      let envelope = try ResponseEnvelope(message)
      if let index = position(of: TypeURL(rawValue: envelope.typeURL)) {
        guard intercepted[index].names != nil else { return [] }
        let resources = try ResponseEnvelope.resources(of: message)
        var actions: [RelayAction] = []
        take(resources, of: envelope, at: index, now, actions: &actions)
        settle(at: now, actions: &actions)
        return actions
      }
      relayed[envelope.typeURL]?.noteResponse(nonce: envelope.nonce)
      guard relayed[envelope.typeURL] != nil else { return [] }
    } catch {
      throw Fault(
        status: GRPCStatus(.internalError, "expected a DiscoveryResponse: \(error.reason)"))
    }
    try forward(message)
    return []
  }

  private mutating func take(
    _ resources: [ResponseEnvelope.Resource], of envelope: ResponseEnvelope, at index: Int,
    _ now: ContinuousClock.Instant, actions: inout [RelayAction]
  ) {
    var type = intercepted[index]
    type.hasResponse = true
    var versions: [String: ContentHash] = [:]
    for resource in resources {
      let encoded = EncodedResource(
        typeURL: TypeURL(rawValue: resource.typeURL), name: resource.name, bytes: resource.bytes,
        origins: [])
      guard type.wants(resource.name) else { continue }
      versions[resource.name] = encoded.version
      type.touched.insert(resource.name)
      sequence += 1
      var supply =
        type.supplies[resource.name]
        ?? ResourceSupply(typeURL: type.typeURL, name: resource.name)
      supply.take(encoded, sequence: sequence, rules: rules, at: now, actions: &actions)
      type.supplies[resource.name] = supply
    }
    if type.typeURL.isFullState {
      for (name, supply) in type.supplies where versions[name] == nil {
        supply.abandon(actions: &actions)
        type.supplies[name] = nil
        type.touched.insert(name)
      }
    }
    // A server that does not wait for answers: this one answers for both.
    if let former = type.answer, former.verdict == .none {
      versions.merge(former.resources) { newer, _ in newer }
    }
    type.answer = InterceptedType.Answer(
      nonce: envelope.nonce, versionInfo: envelope.versionInfo, resources: versions,
      deadline: now + configuration.answerPatience)
    intercepted[index] = type
  }

  /// Brings everything that follows from the supplies up to date: what Envoy is given, what skiffd is
  /// told, which files are in use.
  mutating func settle(at now: ContinuousClock.Instant, actions: inout [RelayAction]) {
    var isChanged = false
    for index in intercepted.indices {
      reviewCount += intercepted[index].touched.count
      intercepted[index].review()
    }
    for index in intercepted.indices where intercepted[index].place() { isChanged = true }
    for index in intercepted.indices where intercepted[index].hasResponse {
      isChanged = isChanged || envoy.snapshot == nil
    }
    if isChanged {
      sequence += 1
      let sets = intercepted.map { ($0.typeURL, $0.placed) }
      envoy.push(
        ResourceSnapshot(
          revision: sequence, proxyClass: Self.proxyClass,
          sets: Dictionary(uniqueKeysWithValues: sets), problems: []), at: now)
    }
    for index in intercepted.indices { openIfPossible(index, at: now, actions: &actions) }
    report(actions: &actions)
    for index in intercepted.indices { answer(index, at: now) }
    updateUse(actions: &actions)
    for index in intercepted.indices { intercepted[index].touched = [] }
  }

  // Nobody classifies an agent's one proxy.
  private static let proxyClass = ProxyClass(role: .router, namespace: "")
}
