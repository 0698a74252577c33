// SPDX-License-Identifier: Apache-2.0

import Agent
import EnvoyAPI
import MeshModel
import NIOCore
import SwiftProtobuf
import Testing
import WasmModules

/// What an event costs, in resources that are looked at rather than in time.
@Suite struct RelayWorkTests {
  @Test func `an event costs what it changes, not what there is`() throws {
    let names = (0..<200).map { "plugin-\($0)" }
    let now = ContinuousClock.now
    let rules = SupplyRules(modules: ModuleLookup(cached: { _ in nil }, lastGood: { _ in nil }))
    var state = RelayState(configuration: .init(), rules: rules, streamID: "s")
    _ = try state.receiveFromEnvoy(request(names, nonce: ""), at: now)
    _ = state.upstreamOpened(at: now)
    let response = Resources.response(
      .extensionConfig, "n1", version: "v1", names.map { Resources.plugin($0) })
    let actions = try state.receiveFromUpstream(response, at: now)
    #expect(state.reviewCount == 200)

    var works: [ModuleWork] = []
    for case .start(let work) in actions { works.append(work) }
    try #require(works.count == 200)
    for (index, work) in works.prefix(3).enumerated() {
      let module = RelayScript.module("/\(work.id.resource)")
      let changes = state.complete(work.id, with: .success(module), at: now)
      #expect(changes.contains(.use(Set(works.prefix(index + 1).map { "/\($0.id.resource)" }))))
      #expect(state.reviewCount == 201 + index)
    }
    #expect(state.nextToEnvoy(at: now) != nil)
    _ = try state.receiveFromEnvoy(request(names, nonce: "s-1"), at: now)
    _ = state.tick(at: now + .seconds(1))
    #expect(state.reviewCount == 203)
    #expect(state.moduleStatuses.count(where: { $0.phase == .ready }) == 3)
  }

  private func request(_ names: [String], nonce: String) -> ByteBuffer {
    ByteBuffer(
      bytes: ADSRequest.with {
        $0.typeURL = TypeURL.extensionConfig.rawValue
        $0.resourceNames = names
        $0.responseNonce = nonce
      }
      .deterministicBytes())
  }
}
