// SPDX-License-Identifier: Apache-2.0

import Agent
import MeshModel
import Synchronization
import Testing
import WasmModules

/// What happens while a module cannot be had, in each mode, and when it can be had again.
@Suite struct FailureTests {
  private let ecds = TypeURL.extensionConfig
  private let error = "download_failure: status 404"

  /// An Envoy that has `a@1`, whose second version is being fetched.
  private func updating(_ mode: WasmFailureMode, open: Bool = false) throws -> RelayScript {
    var script = RelayScript(mode: mode)
    _ = try script.envoy(ecds, ["a"], node: "gw")
    _ = try script.connect()
    _ = try script.skiffd(ecds, "n1", version: "v1", [Resources.plugin("a", "1")])
    _ = try script.fetched("a", path: "/1")
    _ = try script.envoy(ecds, ["a"], nonce: "s-1")
    #expect(
      try script.skiffd(ecds, "n2", version: "v2", [Resources.plugin("a", "2", open: open)]) == [
        "fetch http://m/a.wasm", "report: a fetching",
      ])
    return script
  }

  private func failure(_ attempt: Int, next: Double) -> String {
    "failed a http://m/a.wasm attempt=\(attempt) \(error) next=\(next)"
  }

  private var rejection: String {
    "skiffd: ECDS a version=v1 nonce=n2 error=13 "
      + "\"extension config a: Wasm module http://m/a.wasm: \(error)\""
  }

  @Test func `rejecting keeps the former version, and delivers when the module comes`() throws {
    var script = try updating(.reject)
    #expect(
      try script.failed("a") == [
        failure(1, next: 1), "converted fetch_failure 0.0",
        "report: a failed refused attempts=1 next=1 \"\(error)\"", rejection,
      ])
    #expect(try script.wait(.milliseconds(999)) == [])
    #expect(
      try script.wait(.milliseconds(1)) == [
        "fetch http://m/a.wasm",
        "report: a failed refused attempts=1 \"\(error)\"",
      ])
    #expect(
      try script.failed("a") == [
        failure(2, next: 2), "report: a failed refused attempts=2 next=3 \"\(error)\"",
      ])
    #expect(try script.wait(.seconds(2)).first == "fetch http://m/a.wasm")
    #expect(
      try script.fetched("a", path: "/2") == [
        "fetched a", "converted success 3.0", "use /1 /2", "report: a ready attempts=2",
        "envoy: ECDS s-2 [a@2 file=/2]",
      ])
    // A server that knows no reports hears that the rejection is over.
    #expect(
      try script.envoy(ecds, ["a"], nonce: "s-2") == [
        "use /2", "skiffd: ECDS a version=v2 nonce=n2",
      ])
  }

  @Test func `rounds are at most a minute apart`() throws {
    var script = try updating(.reject)
    var waits: [Double] = []
    for _ in 0..<9 {
      let line = try script.failed("a").first ?? ""
      let wait = Double(line.split(separator: "=").last ?? "") ?? 0
      waits.append(wait)
      _ = try script.wait(.seconds(wait))
    }
    #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60])
  }

  @Test func `a failure after the answer is told by a report and by another answer`() throws {
    var script = try updating(.reject)
    #expect(try script.wait(.milliseconds(500)) == ["skiffd: ECDS a version=v2 nonce=n2"])
    #expect(
      try script.failed("a") == [
        failure(1, next: 1), "converted fetch_failure 0.5",
        "report: a failed refused attempts=1 next=1 \"\(error)\"",
        rejection.replacing("version=v1", with: "version=v2"),
      ])
    _ = try script.wait(.seconds(1))
    #expect(try script.failed("a").count == 2)
  }

  @Test(arguments: [(true, "allow"), (false, "deny")])
  func `falling back gives what the plugin says`(_ open: Bool, _ result: String) throws {
    var script = try updating(.fallback, open: open)
    #expect(
      try script.failed("a") == [
        failure(1, next: 1), "converted fetch_failure 0.0",
        "report: a fallback attempts=1 next=1 \"\(error)\" fallback=\(result)",
        "envoy: ECDS s-2 [a \(result)]",
      ])
    #expect(
      try script.envoy(ecds, ["a"], nonce: "s-2") == ["use ", "skiffd: ECDS a version=v2 nonce=n2"])
    _ = try script.wait(.seconds(1))
    #expect(
      try script.fetched("a", path: "/2") == [
        "fetched a", "converted success 1.0", "use /2", "report: a ready attempts=1",
        "envoy: ECDS s-3 [a@2 file=/2]",
      ])
  }

  @Test func `the last good module goes on with the new configuration`() throws {
    var script = try updating(.keepLast)
    script.shelf.modules.withLock { $0.lastGood["a"] = RelayScript.module("/1") }
    #expect(
      try script.failed("a") == [
        failure(1, next: 1), "converted fetch_failure 0.0",
        "report: a fallback attempts=1 next=1 \"\(error)\" fallback=keep-last",
        "envoy: ECDS s-2 [a@2 file=/1]",
      ])
    #expect(try script.envoy(ecds, ["a"], nonce: "s-2") == ["skiffd: ECDS a version=v2 nonce=n2"])
  }

  @Test func `without a last good module it is refused`() throws {
    var script = try updating(.keepLast)
    #expect(try script.failed("a").last == rejection)
    // One that comes to light later is used then.
    script.shelf.modules.withLock { $0.lastGood["a"] = RelayScript.module("/1") }
    _ = try script.wait(.seconds(1))
    #expect(try script.failed("a").last == "envoy: ECDS s-2 [a@2 file=/1]")
  }

  @Test func `a module that somebody else fetched is found at the next round`() throws {
    var script = try updating(.reject)
    _ = try script.failed("a")
    script.shelf.modules.withLock { $0.cached["http://m/a.wasm"] = RelayScript.module("/2") }
    #expect(
      try script.wait(.seconds(1)) == [
        "converted success 1.0", "use /1 /2", "report: a ready attempts=1",
        "envoy: ECDS s-2 [a@2 file=/2]",
      ])
  }

  @Test func `a newer version ends the rounds of the former`() throws {
    var script = try updating(.reject)
    _ = try script.failed("a")
    #expect(
      try script.skiffd(ecds, "n3", version: "v3", [Resources.plain("a", "3")]) == [
        "converted no_remote_load 0.0", "report: a gone", "envoy: ECDS s-2 [a@3]",
      ])
    #expect(
      try script.envoy(ecds, ["a"], nonce: "s-2") == ["use ", "skiffd: ECDS a version=v3 nonce=n3"])
    #expect(script.deadline == nil)
  }

  @Test func `going back to the former version ends the rejection`() throws {
    var script = try updating(.reject)
    _ = try script.failed("a")
    #expect(
      try script.skiffd(ecds, "n3", version: "v1", [Resources.plugin("a", "1")]).first
        == "fetch http://m/a.wasm")
    #expect(
      try script.fetched("a", path: "/1") == [
        "fetched a", "converted success 0.0", "report: a ready",
        "skiffd: ECDS a version=v1 nonce=n3",
      ])
  }

  @Test func `waiting times double, and are spread`() {
    let backoff = Backoff(initial: .milliseconds(100), factor: 2, cap: .seconds(30))
    #expect(backoff.delay(afterFailures: 1, chance: 0) == .milliseconds(50))
    #expect(backoff.delay(afterFailures: 2, chance: 0.5) == .milliseconds(200))
    #expect(backoff.delay(afterFailures: 100, chance: 1) == .seconds(45))
  }
}
