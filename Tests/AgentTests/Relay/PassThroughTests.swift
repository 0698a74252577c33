// SPDX-License-Identifier: Apache-2.0

import Agent
import MeshModel
import EnvoyAPI
import NIOCore
import SwiftProtobuf
import Testing

/// Types that pass as they are, and what a lost upstream does to them.
@Suite struct PassThroughTests {
  private let clusters = [Resources.plain("c")]

  private func begun() throws -> RelayScript {
    var script = RelayScript()
    #expect(try script.envoy(.cluster, version: "v0", node: "gw") == [])
    #expect(try script.envoy(.endpoint, ["c"]) == [])
    #expect(
      try script.connect() == ["skiffd: CDS version=v0 node=gw", "skiffd: EDS c"])
    return script
  }

  @Test func `messages go through with their nonces`() throws {
    var script = try begun()
    #expect(
      try script.skiffd(.cluster, "n1", version: "v1", clusters) == ["envoy: CDS n1 [c@1]"])
    #expect(
      try script.envoy(.cluster, version: "v1", nonce: "n1") == ["skiffd: CDS version=v1 nonce=n1"])
    #expect(
      try script.envoy(.cluster, version: "v1", nonce: "n1", error: "no")
        == ["skiffd: CDS version=v1 nonce=n1 error=0 \"no\""])
    #expect(try script.envoy(.route, ["r"]) == ["skiffd: RDS r"])
  }

  @Test func `what nobody asked for goes nowhere`() throws {
    var script = try begun()
    #expect(try script.skiffd(.route, "n1", version: "v1", []) == [])
    #expect(try script.skiffd(.listener, "n1", version: "v1", []) == [])
  }

  @Test func `another upstream hears what Envoy wants and has`() throws {
    var script = try begun()
    _ = try script.skiffd(.cluster, "n1", version: "v1", clusters)
    _ = try script.envoy(.cluster, version: "v1", nonce: "n1")
    _ = try script.skiffd(.endpoint, "n2", version: "e1", clusters)
    _ = try script.envoy(.endpoint, ["c"], version: "e1", nonce: "n2")
    #expect(try script.disconnect() == [])
    // Waits until there is somebody to tell.
    #expect(try script.envoy(.endpoint, ["c", "d"], version: "e1", nonce: "n2") == [])
    #expect(
      try script.connect() == ["skiffd: CDS version=v1 node=gw", "skiffd: EDS c,d version=e1"])
    // An answer to the former upstream is none to this one, but what it asks for is.
    #expect(try script.envoy(.cluster, version: "v1", nonce: "n1") == [])
    #expect(
      try script.envoy(.endpoint, ["c", "d", "e"], version: "e1", nonce: "n2")
        == ["skiffd: EDS c,d,e version=e1"])
    // Envoy comes back to what is on its way, with all names.
    #expect(
      try script.skiffd(.endpoint, "m1", version: "e2", clusters) == ["envoy: EDS m1 [c@1]"])
    #expect(try script.envoy(.endpoint, ["d"], version: "e1", nonce: "n2") == [])
    #expect(
      try script.envoy(.endpoint, ["d"], version: "e2", nonce: "m1")
        == ["skiffd: EDS d version=e2 nonce=m1"])
  }

  @Test func `another upstream hears of all modules, and Envoy of nothing`() throws {
    var script = RelayScript()
    _ = try script.envoy(.extensionConfig, ["a", "b"], node: "gw")
    _ = try script.connect()
    let resources = [Resources.plugin("a"), Resources.plugin("b")]
    _ = try script.skiffd(.extensionConfig, "n1", version: "v1", resources)
    _ = try script.fetched("a")
    _ = try script.envoy(.extensionConfig, ["a", "b"], nonce: "s-1")
    _ = try script.wait(.milliseconds(500))
    #expect(try script.disconnect() == [])
    #expect(
      try script.fetched("b") == [
        "fetched b", "converted success 0.5", "use /a /b", "envoy: ECDS s-2 [b@1 file=/b]",
      ])
    #expect(try script.envoy(.extensionConfig, ["a", "b"], nonce: "s-2") == [])
    #expect(
      try script.connect() == [
        "skiffd: ECDS a,b version=v1 node=gw", "report: a ready", "report: b ready",
      ])
    #expect(
      try script.skiffd(.extensionConfig, "m1", version: "v1", resources)
        == ["skiffd: ECDS a,b version=v1 nonce=m1"])
  }

  @Test func `a server that knows no reports gets none, and hears of failures all the same`() throws
  {
    var script = RelayScript(reportsModules: false)
    _ = try script.envoy(.extensionConfig, ["a"], node: "gw")
    _ = try script.connect()
    #expect(
      try script.skiffd(.extensionConfig, "n1", version: "v1", [Resources.plugin("a")])
        == ["fetch http://m/a.wasm"])
    #expect(
      try script.failed("a").last
        == "skiffd: ECDS a nonce=n1 error=13 \"extension config a: Wasm module http://m/a.wasm: "
        + "download_failure: status 404\"")
  }

  @Test func `without interception a plugin passes as it is`() throws {
    var script = RelayScript(intercepts: false)
    _ = try script.envoy(.extensionConfig, ["a"], node: "gw")
    _ = try script.connect()
    #expect(
      try script.skiffd(.extensionConfig, "n1", version: "v1", [Resources.plugin("a")])
        == ["envoy: ECDS n1 [a@1 file=]"])
    #expect(
      try script.envoy(.extensionConfig, ["a"], version: "v1", nonce: "n1")
        == ["skiffd: ECDS a version=v1 nonce=n1"])
  }

  @Test func `an Envoy that reads nothing pins no more than the limit`() throws {
    var configuration = RelayState.Configuration()
    configuration.backlogLimit = 1000
    var state = RelayState(
      configuration: configuration,
      rules: SupplyRules(modules: ModuleLookup(cached: { _ in nil }, lastGood: { _ in nil })),
      streamID: "s")
    let request = ADSRequest.with { $0.typeURL = TypeURL.route.rawValue }
    _ = try state.receiveFromEnvoy(ByteBuffer(bytes: request.deterministicBytes()), at: .now)
    let response = Resources.response(
      .route, "n", version: "v", [Resources.plain("r", String(repeating: "x", count: 300))])
    for _ in 0..<2 { _ = try state.receiveFromUpstream(response, at: .now) }
    #expect(throws: RelayState.Fault.self) {
      for _ in 0..<2 { _ = try state.receiveFromUpstream(response, at: .now) }
    }
  }

  @Test func `bytes that are no discovery message end the stream they came on`() throws {
    var script = RelayScript()
    _ = try script.envoy(.cluster, node: "gw")
    _ = try script.connect()
    var state = RelayState(
      configuration: .init(),
      rules: SupplyRules(modules: ModuleLookup(cached: { _ in nil }, lastGood: { _ in nil })),
      streamID: "s")
    for bytes: [UInt8] in [[0x0a], [0x0a, 5, 1], [0x0b], [0x22, 0x80]] {
      #expect(throws: RelayState.Fault.self) {
        try state.receiveFromUpstream(ByteBuffer(bytes: bytes), at: .now)
      }
      #expect(throws: RelayState.Fault.self) {
        try state.receiveFromEnvoy(ByteBuffer(bytes: bytes), at: .now)
      }
    }
  }
}
