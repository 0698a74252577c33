// SPDX-License-Identifier: Apache-2.0

import Agent
import MeshModel
import Synchronization
import Testing

/// Listeners: full state, with Wasm inlined.
@Suite struct RelayedListenerTests {
  private let lds = TypeURL.listener

  private func begun(version: String = "") throws -> RelayScript {
    var script = RelayScript()
    #expect(try script.envoy(lds, version: version, node: "gw") == [])
    #expect(try script.connect() == ["skiffd: LDS node=gw"])
    return script
  }

  @Test func `Envoy is not told that there is nothing before skiffd has spoken`() throws {
    var script = try begun()
    _ = try script.envoy(.extensionConfig, ["a"])
    #expect(
      try script.skiffd(.extensionConfig, "n1", version: "v1", [Resources.plain("a")]) == [
        "converted no_remote_load 0.0", "envoy: ECDS s-1 [a@1]",
      ])
    #expect(
      try script.skiffd(lds, "n2", version: "v1", [Resources.listener("l")]) == [
        "envoy: LDS s-2 [l@1]"
      ])
    #expect(try script.envoy(lds, nonce: "s-2") == ["skiffd: LDS version=v1 nonce=n2"])
  }

  @Test func `listeners without Wasm keep their very bytes and do not wait`() throws {
    var script = try begun()
    #expect(
      try script.skiffd(
        lds, "n1", version: "v1",
        [Resources.listener("l"), Resources.listener("w", plugins: ["p", "q"])]) == [
          "fetch http://m/p.wasm", "fetch http://m/q.wasm", "report: w fetching plugin=p",
          "report: w fetching plugin=q", "envoy: LDS s-1 [l@1]",
        ])
    #expect(try script.envoy(lds, nonce: "s-1") == [])
    #expect(
      try script.fetched("w/p", path: "/p") == [
        "fetched p", "use /p", "report: w fetching plugin=p",
      ])
    #expect(
      try script.fetched("w/q", path: "/q") == [
        "fetched q", "converted success 0.0", "use /p /q", "report: w ready plugin=p",
        "report: w ready plugin=q", "envoy: LDS s-2 [l@1, w@1 p @1 file=/p q @1 file=/q]",
      ])
    #expect(try script.envoy(lds, nonce: "s-2") == ["skiffd: LDS version=v1 nonce=n1"])
    // What is missing is deleted, and the fetch for it ends.
    #expect(
      try script.skiffd(lds, "n2", version: "v2", [Resources.listener("l")]) == [
        "report: w gone plugin=p", "report: w gone plugin=q", "envoy: LDS s-3 [l@1]",
      ])
    #expect(try script.envoy(lds, nonce: "s-3") == ["use ", "skiffd: LDS version=v2 nonce=n2"])
  }

  @Test func `the former listener stays while the module of the new one is missing`() throws {
    var script = try begun()
    _ = try script.skiffd(lds, "n1", version: "v1", [Resources.listener("w")])
    _ = try script.envoy(lds, nonce: "s-1")
    _ = try script.skiffd(
      lds, "n2", version: "v2",
      [
        Resources.listener("w", "2", plugins: ["p"]),
        Resources.listener("x"),
      ])
    #expect(
      try script.failed("w/p") == [
        "failed p http://m/p.wasm attempt=1 download_failure: status 404 next=1.0",
        "converted fetch_failure 0.0",
        "report: w failed plugin=p refused attempts=1 next=1 \"download_failure: status 404\"",
      ])
    #expect(
      try script.envoy(lds, nonce: "s-2") == [
        "skiffd: LDS version=v1 nonce=n2 error=13 \"listener w: Wasm module http://m/p.wasm: "
          + "download_failure: status 404\""
      ])
  }

  @Test func `an Envoy that has listeners loses none because a module is on its way`() throws {
    var script = try begun(version: "former")
    #expect(
      try script.skiffd(
        lds, "n1", version: "v1",
        [Resources.listener("l"), Resources.listener("w", plugins: ["p"])]) == [
          "fetch http://m/p.wasm", "report: w fetching plugin=p",
        ])
    #expect(
      try script.fetched("w/p", path: "/p") == [
        "fetched p", "converted success 0.0", "use /p", "report: w ready plugin=p",
        "envoy: LDS s-1 [l@1, w@1 p @1 file=/p]",
      ])
  }

  @Test func `of a refused response the listeners that are not named count as accepted`() throws {
    var script = try begun()
    _ = try script.skiffd(
      lds, "n1", version: "v1", [Resources.listener("l"), Resources.listener("m")])
    #expect(
      try script.envoy(lds, nonce: "s-1", error: "listener(s) m: bad port") == [
        "rejected m", "skiffd: LDS nonce=n1 error=13 \"listener(s) m: bad port\"",
      ])
  }
}
