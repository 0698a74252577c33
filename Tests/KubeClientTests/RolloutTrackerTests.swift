// SPDX-License-Identifier: Apache-2.0

import JSON
import KubeClient
import Testing

/// What is told of objects on their way to the proxies.
@Suite struct RolloutTrackerTests {
  private let kind = Served.index.kinds[1]
  private var web: ObjectKey { ObjectKey(kind, in: "default", "web") }
  private var api: ObjectKey { ObjectKey(kind, in: "default", "api") }

  private func object(
    _ name: String, generation: Int64 = 1, _ conditions: [JSONValue], proxies: JSONValue = .null
  ) -> JSONValue {
    [
      "metadata": [
        "name": .string(name), "namespace": "default", "generation": .integer(generation),
      ],
      "status": ["conditions": .array(conditions), "proxies": proxies],
    ]
  }

  private func condition(
    _ type: String, _ status: String, _ reason: String, _ message: String = "",
    of generation: Int64 = 1
  ) -> JSONValue {
    [
      "type": .string(type), "status": .string(status), "reason": .string(reason),
      "message": .string(message), "observedGeneration": .integer(generation),
    ]
  }

  @Test func `one object is counted by its proxies`() {
    var tracker = RolloutTracker([web])
    #expect(tracker.line == "waiting for skiffd …")
    let pending = condition(
      "Programmed", "False", "Pending", "7 of 12 proxies run it; waiting for a")
    #expect(tracker.take(.state([object("web", [pending])]), of: kind) == [])
    #expect(tracker.line == "programmed 7/12 …")
    #expect(tracker.overdue == ["virtualservice.networking.istio.io/web is programmed 7/12"])
    #expect(!tracker.isSettled)
    let done = condition("Programmed", "True", "Programmed", "12 of 12 proxies run it")
    _ = tracker.take(.changed(object("web", [done])), of: kind)
    #expect(tracker.isSettled && tracker.failed.isEmpty)
    #expect(tracker.summary == ["virtualservice.networking.istio.io/web programmed 12/12"])
  }

  @Test func `the counts of the status come before the words`() {
    let stage = RolloutStage(
      of: object(
        "web", [condition("Programmed", "False", "Pending", "some")],
        proxies: ["programmed": 1, "total": 3]))
    #expect(stage == .pending(programmed: 1, total: 3))
  }

  @Test func `a condition of an earlier generation says nothing`() {
    let old = condition("Programmed", "True", "Programmed", "3 of 3 proxies run it")
    #expect(RolloutStage(of: object("web", generation: 2, [old])) == .unknown)
  }

  @Test func `a rejection is told once, in Envoy's words, and the others go on`() {
    var tracker = RolloutTracker([web, api])
    let rejected = object(
      "web",
      [
        condition("Programmed", "False", "Rejected", "0 of 3 proxies run it"),
        condition("Rejected", "True", "RejectedByProxy", "script load error (east)"),
      ])
    #expect(
      tracker.take(.changed(rejected), of: kind)
        == ["virtualservice.networking.istio.io/web rejected: script load error (east)"])
    #expect(tracker.take(.changed(rejected), of: kind) == [])
    #expect(tracker.failed == [web])
    #expect(!tracker.isSettled)
    #expect(
      tracker.line == "programmed 1/2 objects: virtualservice.networking.istio.io/api …")
    let unused = condition("Programmed", "False", "NoProxies")
    _ = tracker.take(.state([rejected, object("api", [unused])]), of: kind)
    #expect(tracker.isSettled)
    #expect(
      tracker.summary == [
        "virtualservice.networking.istio.io/api programmed 0/0, no connected proxy depends on it"
      ])
  }

  @Test func `what another deletes is not waited for`() {
    var tracker = RolloutTracker([web])
    #expect(
      tracker.take(.deleted(object("web", [])), of: kind)
        == ["virtualservice.networking.istio.io/web deleted by another"])
    #expect(tracker.isSettled && tracker.failed == [web])
  }

  @Test func `objects that nobody waits for do not count`() {
    var tracker = RolloutTracker([web])
    let done = condition("Programmed", "True", "Programmed", "1 of 1 proxies run it")
    #expect(tracker.take(.state([object("other", [done])]), of: kind) == [])
    #expect(!tracker.isSettled)
  }
}
