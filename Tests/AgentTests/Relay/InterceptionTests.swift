// SPDX-License-Identifier: Apache-2.0

import Agent
import MeshModel
import Synchronization
import Testing

/// Extension configurations: each resource on its own, each answer at its time.
@Suite struct InterceptionTests {
  private let ecds = TypeURL.extensionConfig

  /// An Envoy that wants `names`, and a server that answers.
  private func begun(_ names: [String], mode: WasmFailureMode = .reject) throws -> RelayScript {
    var script = RelayScript(mode: mode)
    #expect(try script.envoy(ecds, names, node: "gw") == [])
    #expect(
      try script.connect() == ["skiffd: ECDS \(names.joined(separator: ",")) node=gw"])
    return script
  }

  @Test func `a module is fetched, then the plugin goes to Envoy, then skiffd hears of it`() throws
  {
    var script = try begun(["a"])
    #expect(
      try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a")]) == [
        "fetch http://m/a.wasm", "report: a fetching",
      ])
    #expect(
      try script.fetched("a") == [
        "fetched a", "converted success 0.0", "use /a", "report: a ready",
        "envoy: ECDS s-1 [a@1 file=/a]",
      ])
    #expect(try script.envoy(ecds, ["a"], nonce: "s-1") == ["skiffd: ECDS a version=v1 nonce=n1"])
    #expect(script.isSupplied && script.deadline == nil)
  }

  @Test func `a module on disk needs no fetch`() throws {
    var script = try begun(["a"])
    script.shelf.modules.withLock { $0.cached["http://m/a.wasm"] = RelayScript.module("/a") }
    #expect(
      try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a")]) == [
        "converted success 0.0", "use /a", "report: a ready", "envoy: ECDS s-1 [a@1 file=/a]",
      ])
  }

  @Test func `a slow module holds back nothing else`() throws {
    var script = try begun(["a", "b", "c"])
    #expect(
      try script.skiffd(
        ecds, "n1", version: "v1",
        [Resources.plugin("a"), Resources.plain("b"), Resources.plugin("c")]) == [
          "fetch http://m/a.wasm", "converted no_remote_load 0.0", "fetch http://m/c.wasm",
          "report: a fetching", "report: c fetching", "envoy: ECDS s-1 [b@1]",
        ])
    #expect(try script.envoy(ecds, ["a", "b", "c"], nonce: "s-1") == [])
    #expect(
      try script.fetched("c") == [
        "fetched c", "converted success 0.0", "use /c", "report: c ready",
        "envoy: ECDS s-2 [c@1 file=/c]",
      ])
    #expect(try script.envoy(ecds, ["a", "b", "c"], nonce: "s-2") == [])
    #expect(script.deadline == .milliseconds(500))
    #expect(
      try script.wait(.milliseconds(500)) == ["skiffd: ECDS a,b,c version=v1 nonce=n1"])
    #expect(
      try script.fetched("a") == [
        "fetched a", "converted success 0.5", "use /a /c", "report: a ready",
        "envoy: ECDS s-3 [a@1 file=/a]",
      ])
    #expect(try script.envoy(ecds, ["a", "b", "c"], nonce: "s-3") == [])
  }

  @Test func `a subscription does not wait for modules`() throws {
    var script = try begun(["a"])
    _ = try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a")])
    #expect(try script.envoy(ecds, ["a", "b"]) == ["skiffd: ECDS a,b version=v1 nonce=n1"])
    #expect(
      try script.skiffd(ecds, "n2", version: "v2", [Resources.plain("b")]) == [
        "converted no_remote_load 0.0", "envoy: ECDS s-1 [b@1]",
      ])
    #expect(
      try script.envoy(ecds, ["a", "b"], nonce: "s-1") == ["skiffd: ECDS a,b version=v2 nonce=n2"])
    #expect(
      try script.envoy(ecds, ["b"], nonce: "s-1") == [
        "cancel a", "skiffd: ECDS b version=v2 nonce=n2", "report: a gone",
      ])
    #expect(try script.fetched("a") == [])
  }

  @Test func `what an older version waited for never overtakes a newer one`() throws {
    var script = try begun(["a"])
    _ = try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a", "1")])
    #expect(
      try script.skiffd(ecds, "n2", version: "v2", [Resources.plugin("a", "2")]) == [
        "fetch http://m/a.wasm", "cancel a", "report: a fetching",
      ])
    #expect(
      try script.fetched("a", path: "/new") == [
        "fetched a", "converted success 0.0", "use /new", "report: a ready",
        "envoy: ECDS s-1 [a@2 file=/new]",
      ])
    #expect(try script.fetched("a", ago: 1, path: "/old") == [])
    #expect(try script.envoy(ecds, ["a"], nonce: "s-1") == ["skiffd: ECDS a version=v2 nonce=n2"])
  }

  @Test func `the former version stays in use until the newer is accepted`() throws {
    var script = try begun(["a"])
    _ = try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a", "1")])
    _ = try script.fetched("a", path: "/1")
    _ = try script.envoy(ecds, ["a"], nonce: "s-1")
    #expect(
      try script.skiffd(
        ecds, "n2", version: "v2", [Resources.plugin("a", "2", url: "http://m/2.wasm")]) == [
          "fetch http://m/2.wasm", "report: a fetching", "report: a gone",
        ])
    #expect(
      try script.fetched("a", path: "/2") == [
        "fetched a", "converted success 0.0", "use /1 /2", "report: a ready",
        "envoy: ECDS s-2 [a@2 file=/2]",
      ])
    #expect(
      try script.envoy(ecds, ["a"], nonce: "s-2") == [
        "use /2", "skiffd: ECDS a version=v2 nonce=n2",
      ])
  }

  @Test func `what Envoy refuses is refused in its words, and the former files stay`() throws {
    var script = try begun(["a"])
    _ = try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a", "1")])
    _ = try script.fetched("a", path: "/1")
    _ = try script.envoy(ecds, ["a"], nonce: "s-1")
    _ = try script.skiffd(ecds, "n2", version: "v2", [Resources.plugin("a", "2")])
    _ = try script.fetched("a", path: "/2")
    #expect(
      try script.envoy(ecds, ["a"], nonce: "s-2", error: "a: invalid module") == [
        "rejected a", "skiffd: ECDS a version=v1 nonce=n2 error=13 \"a: invalid module\"",
      ])
    // The same bytes are not given to Envoy again, and refused again at once.
    #expect(
      try script.skiffd(ecds, "n3", version: "v2", [Resources.plugin("a", "2")]) == [
        "skiffd: ECDS a version=v1 nonce=n3 error=13 \"a: invalid module\""
      ])
  }

  @Test func `a resource that cannot be read is refused alone and at once`() throws {
    var script = try begun(["a", "b", "c"])
    let lines = try script.skiffd(
      ecds, "n1", version: "v1",
      [Resources.broken("a"), Resources.plain("b"), Resources.nowhere("c")])
    #expect(
      lines == [
        "converted unmarshal_failure 0.0",
        "refused a: extension config a: unmarshal_failure: a length of 127 where 0 bytes are left",
        "converted no_remote_load 0.0", "converted miss_remote_fetch_hint 0.0",
        "refused c: extension config c: miss_remote_fetch_hint: c has remote code without an "
          + "http_uri", "envoy: ECDS s-1 [b@1]",
      ])
    #expect(
      try script.envoy(ecds, ["a", "b", "c"], nonce: "s-1") == [
        "skiffd: ECDS a,b,c nonce=n1 error=13 \"extension config a: unmarshal_failure: a length of "
          + "127 where 0 bytes are left; extension config c: miss_remote_fetch_hint: c has remote "
          + "code without an http_uri\""
      ])
  }

  @Test func `a server that does not wait gets one answer for both`() throws {
    var script = try begun(["a", "b"])
    _ = try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a")])
    _ = try script.skiffd(ecds, "n2", version: "v2", [Resources.plain("b")])
    #expect(try script.envoy(ecds, ["a", "b"], nonce: "s-1") == [])
    #expect(
      try script.failed("a") == [
        "failed a http://m/a.wasm attempt=1 download_failure: status 404 next=1.0",
        "converted fetch_failure 0.0",
        "report: a failed refused attempts=1 next=1 \"download_failure: status 404\"",
        "skiffd: ECDS a,b nonce=n2 error=13 \"extension config a: Wasm module http://m/a.wasm: "
          + "download_failure: status 404\"",
      ])
  }

  @Test func `resources that were refused in company are tried alone`() throws {
    var script = try begun(["a", "b"])
    _ = try script.skiffd(
      ecds, "n1", version: "v1", [Resources.plain("a"), Resources.plain("b")])
    #expect(
      try script.envoy(ecds, ["a", "b"], nonce: "s-1", error: "no") == [
        "rejected a b", "envoy: ECDS s-2 [a@1]",
      ])
    #expect(try script.envoy(ecds, ["a", "b"], nonce: "s-2") == ["envoy: ECDS s-3 [b@1]"])
    #expect(
      try script.envoy(ecds, ["a", "b"], nonce: "s-3", error: "never") == [
        "rejected b", "skiffd: ECDS a,b nonce=n1 error=13 \"extension config b: never\"",
      ])
  }
}
