// SPDX-License-Identifier: Apache-2.0

import MeshModel
import MeshTesting
import XDS

/// The bare state of a stream as the peer of a script; time advances by a second per action.
struct StreamPeer: ADSScriptPeer {
  private var revision: UInt64 = 0
  private var streamCount = 1
  private var snapshot: ResourceSnapshot?
  private(set) var now = ContinuousClock.now
  private(set) var state: StreamState
  private(set) var outcomes: [RequestOutcome] = []
  private let retriesSuspectsAtOnce: Bool

  init(retriesSuspectsAtOnce: Bool = false) {
    self.retriesSuspectsAtOnce = retriesSuspectsAtOnce
    state = StreamState(streamID: "s1", retriesSuspectsAtOnce: retriesSuspectsAtOnce)
  }

  mutating func publish(_ resources: [TypeURL: [EncodedResource]]) {
    revision += 1
    let snapshot = ResourceSnapshot(
      revision: revision, proxyClass: ProxyClass(role: .router, namespace: "default"),
      sets: resources.mapValues(ResourceSet.init), problems: [])
    self.snapshot = snapshot
    tick()
    state.push(snapshot, at: now)
  }

  mutating func reconnect() {
    streamCount += 1
    state = StreamState(streamID: "s\(streamCount)", retriesSuspectsAtOnce: retriesSuspectsAtOnce)
    tick()
    if let snapshot { state.push(snapshot, at: now) }
  }

  mutating func send(_ request: DiscoveryRequest) {
    tick()
    outcomes.append(state.handle(request, at: now))
  }

  mutating func report(_ resource: EncodedResource, failure: String?) {
    tick()
    if let failure {
      let rejection = state.refuse(
        resource.name, of: resource.typeURL, version: resource.version, reason: failure, at: now)
      if let rejection { outcomes.append(.rejected(rejection)) }
    } else {
      state.reconsider(
        resource.name, of: resource.typeURL, version: resource.version, at: now)
    }
  }

  mutating func receive(expected: Bool) -> ADSScript.Answer? {
    state.next(at: now).map { response in
      ADSScript.Answer(
        typeURL: response.typeURL, versionInfo: "\(response.version)", nonce: response.nonce,
        resources: response.resources.map { String(decoding: $0.bytes, as: UTF8.self) })
    }
  }

  func status(of typeURL: TypeURL) -> String? { state.report(on: typeURL)?.status.rawValue }

  private mutating func tick() { now += .seconds(1) }
}
