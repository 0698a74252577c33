// SPDX-License-Identifier: Apache-2.0

import APIServer
import HTTPTypes
import JSON
import ObjectStore
import Testing

/// Writing what was measured: what is written when, and what is left alone.
@Suite struct ObjectStatusWriterTests {
  private let time = FakeTime()
  private let client = APIClient()
  private let writer: ObjectStatusWriter
  private let plugins = APIClient.plugins

  init() {
    writer = ObjectStatusWriter(store: client.store, now: { [time] in time.seconds })
  }

  private func create(_ name: String) async -> APIClient.Answer {
    await client.send(.post, plugins, APIClient.plugin(name))
  }

  private func patch(_ name: String, _ patch: JSONValue, status: Bool = false) async
    -> APIClient.Answer
  {
    await client.send(
      .patch, "\(plugins)/\(name)\(status ? "/status" : "")", patch,
      type: "application/merge-patch+json")
  }

  private func object(_ name: String) async -> JSONValue {
    await client.get("\(plugins)/\(name)").json
  }

  /// `Programmed True Programmed 2026-01-01T00:00:00Z` of each condition.
  private func conditions(_ name: String) async -> [String] {
    (await object(name)["status"]?["conditions"]?.arrayElements ?? []).map { condition in
      ["type", "status", "reason", "lastTransitionTime"]
        .map { condition[$0]?.stringValue ?? "-" }.joined(separator: " ")
    }
  }

  private static func status(
    _ programmed: Int, of total: Int, rejected: Int = 0, more: [Condition] = []
  ) -> MeasuredStatus {
    let isProgrammed = total > 0 && programmed == total
    let reason =
      isProgrammed
      ? "Programmed" : rejected > 0 ? "Rejected" : total > 0 ? "Pending" : "NoProxies"
    return MeasuredStatus(
      conditions: [
        Condition(kind: .accepted, isTrue: true, reason: "Valid", message: ""),
        Condition(
          kind: .programmed, isTrue: isProgrammed, reason: reason,
          message: "\(programmed) of \(total) proxies run it"),
        rejected > 0
          ? Condition(
            kind: .rejected, isTrue: true, reason: "RejectedByProxy", message: "bad, since now",
            summary: "bad")
          : Condition(kind: .rejected, isTrue: false, reason: "NotRejected", message: ""),
      ] + more,
      proxies: .init(
        total: total, programmed: programmed, pending: total - programmed - rejected,
        rejected: rejected))
  }

  /// Measures every object the same.
  private func write(_ status: MeasuredStatus) async -> ObjectStatusWriter.Outcome {
    await writer.write(
      await writer.subjects().map { (subject: $0, status: status) }, at: time.instant)
  }

  private func write(_ programmed: Int, of total: Int, rejected: Int = 0) async
    -> ObjectStatusWriter.Outcome
  {
    await write(Self.status(programmed, of: total, rejected: rejected))
  }

  private func events() async -> [String] {
    let items = await client.get("/api/v1/events").json["items"]?.arrayElements ?? []
    return items.map { event in
      let name = event["involvedObject"]?["name"]?.stringValue ?? ""
      return "\(name) \(event["type"]?.stringValue ?? "") \(event["reason"]?.stringValue ?? "") "
        + "\(event["message"]?.stringValue ?? "") ×\(event["count"]?.text() ?? "")"
    }.sorted()
  }

  @Test func `what was measured is written once, and nothing else of the object`() async throws {
    let made = await create("a")
    #expect(await write(3, of: 3) == .init(statuses: 1, events: 1))
    let written = await object("a")
    let status = try #require(written["status"])
    #expect(status["observedGeneration"] == 1)
    #expect(status["proxies"] == ["pending": 0, "programmed": 3, "rejected": 0, "total": 3])
    #expect(
      status["conditions"]?[1] == [
        "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "3 of 3 proxies run it",
        "observedGeneration": 1, "reason": "Programmed", "status": "True", "type": "Programmed",
      ])
    #expect(written["spec"] == made.json["spec"])
    #expect(written["metadata"]?["generation"] == 1)
    let managers = written["metadata"]?["managedFields"]?.arrayElements ?? []
    #expect(managers.map { $0["manager"] } == ["skiff", "tests"])
    #expect(managers[0]["subresource"] == "status")
    #expect(managers[1] == made.json["metadata"]?["managedFields"]?[0])
    let revision = await client.store.revision()
    time.pass(100)
    #expect(await write(3, of: 3) == .init())
    #expect(await client.store.revision() == revision)
  }

  @Test func `the time of a condition is that of its last transition`() async {
    _ = await create("a")
    _ = await write(3, of: 3)
    time.pass(60)
    _ = await write(2, of: 3, rejected: 1)
    #expect(
      await conditions("a") == [
        "Accepted True Valid 2026-01-01T00:00:00Z",
        "Programmed False Rejected 2026-01-01T00:01:00Z",
        "Rejected True RejectedByProxy 2026-01-01T00:01:00Z",
      ])
    time.pass(60)
    _ = await write(1, of: 3, rejected: 2)
    time.pass(60)
    #expect(await write(1, of: 3, rejected: 2).statuses == 1)
    #expect(
      await conditions("a")[1...] == [
        "Programmed False Rejected 2026-01-01T00:01:00Z",
        "Rejected True RejectedByProxy 2026-01-01T00:01:00Z",
      ])
    #expect(await object("a")["status"]?["proxies"]?["rejected"] == 2)
  }

  @Test func `what may pass by itself must last, and is not written where it passed`() async {
    _ = await create("a")
    _ = await write(3, of: 3)
    let revision = await client.store.revision()
    // A proxy joins, and has not answered yet.
    let outcome = await write(3, of: 4)
    #expect(outcome == .init(due: time.instant + ObjectStatusWriter.patience))
    #expect(await write(3, of: 3) == .init())
    time.pass(5)
    #expect(await write(3, of: 4).statuses == 0)
    #expect(await client.store.revision() == revision)
    time.pass(1)
    #expect(await write(3, of: 4) == .init(statuses: 1, events: 1))
    // Success is told at once.
    #expect(await write(4, of: 4) == .init(statuses: 1, events: 1))
    // The last proxy goes.
    #expect(await write(0, of: 0).statuses == 0)
    time.pass(1)
    #expect(await write(0, of: 0).statuses == 1)
  }

  @Test func `with a new generation nothing of the old one counts, from its write on`() async {
    _ = await create("a")
    _ = await write(3, of: 3)
    let edited = await patch("a", ["spec": ["priority": 2]])
    #expect(edited.json["metadata"]?["generation"] == 2)
    let status = edited.json["status"]
    #expect(status?["observedGeneration"] == 1)
    #expect(status?["conditions"]?[1]?["status"] == "Unknown")
    #expect(status?["conditions"]?[1]?["observedGeneration"] == 2)
    #expect(status?["proxies"] == ["pending": 3, "programmed": 0, "rejected": 0, "total": 3])
    #expect(await patch("a", ["metadata": ["labels": ["x": "y"]]]).json["status"] == status)
    #expect(await write(3, of: 3) == .init(statuses: 1, events: 1))
    #expect(await object("a")["status"]?["observedGeneration"] == 2)
    #expect(await conditions("a")[1] == "Programmed True Programmed 2026-01-01T00:00:00Z")
  }

  @Test func `what others write into the status stays, and ours is put right`() async {
    _ = await create("a")
    _ = await write(1, of: 1)
    let mine: JSONValue = ["status": "True", "type": "Reviewed"]
    let lie: JSONValue = ["type": "Programmed", "status": "False", "reason": "Lie"]
    _ = await patch("a", ["status": ["conditions": [mine, lie], "note": "mine"]], status: true)
    #expect(await write(1, of: 1).statuses == 1)
    let status = await object("a")["status"]
    #expect(status?["note"] == "mine")
    #expect(status?["conditions"]?[0] == mine)
    #expect(
      await conditions("a").map { $0.prefix { $0 != " " } } == [
        "Reviewed", "Programmed", "Accepted", "Rejected",
      ])
    #expect(status?["conditions"]?[1]?["status"] == "True")
  }

  @Test func `a condition that is not measured any more goes`() async {
    _ = await create("a")
    let module = Condition(kind: .moduleReady, isTrue: true, reason: "Ready", message: "")
    _ = await write(Self.status(1, of: 1, more: [module]))
    #expect(await conditions("a").count == 4)
    _ = await write(1, of: 1)
    time.pass(1)
    _ = await write(1, of: 1)
    #expect(await conditions("a").count == 3)
  }

  @Test func `an object that changes meanwhile is left alone, and its neighbours are not`() async {
    for name in ["a", "b", "c"] { _ = await create(name) }
    let subjects = await writer.subjects()
    _ = await patch("b", ["spec": ["priority": 2]])
    _ = await client.send(.delete, "\(plugins)/c")
    let outcome = await writer.write(
      subjects.map { (subject: $0, status: Self.status(1, of: 1)) }, at: time.instant)
    #expect(outcome == .init(statuses: 1, events: 1))
    #expect(await conditions("a").count == 3)
    #expect(await conditions("b").isEmpty)
  }

  @Test func `a writer that saw the object before its status was written is not refused`() async {
    let seen = await create("a")
    _ = await write(1, of: 1)
    let edited = seen.json.objectSetting("spec", ["url": "file:///b.wasm"])
    let answer = await client.send(.put, "\(plugins)/a", edited)
    #expect(answer.status == 200)
    #expect(answer.json["status"]?["proxies"]?["total"] == 1)
    #expect(answer.json["metadata"]?["managedFields"]?.arrayElements?.count == 2)
    // What another changed besides is a conflict as ever.
    #expect(await client.send(.put, "\(plugins)/a", seen.json).status == 409)
  }

  @Test func `transitions are told by events, the same again by a count`() async {
    _ = await create("a")
    #expect(await write(0, of: 0).events == 0)
    time.pass(1)
    #expect(await write(0, of: 0) == .init(statuses: 1))
    for _ in 0..<3 {
      _ = await write(2, of: 2)
      _ = await write(0, of: 2, rejected: 2)
      time.pass(10)
    }
    #expect(
      await events() == [
        "a Normal Programmed 2 of 2 proxies run it ×3", "a Warning RejectedByProxy bad ×3",
      ])
    let uid = await object("a")["metadata"]?["uid"]?.stringValue ?? ""
    let found = await client.get(
      "/api/v1/namespaces/default/events?fieldSelector=involvedObject.uid%3D\(uid)")
    let first = found.json["items"]?[0]
    #expect(found.json["items"]?.arrayElements?.count == 2)
    #expect(first?["firstTimestamp"] == "2026-01-01T00:00:01Z")
    #expect(first?["lastTimestamp"] == "2026-01-01T00:00:21Z")
  }

  @Test func `a burst of transitions has its conditions, and events as far as they help`() async {
    for number in 0..<250 { _ = await create("p\(number)") }
    #expect(await write(1, of: 1) == .init(statuses: 250, events: 100))
    time.pass(2)
    #expect(await write(0, of: 1, rejected: 1) == .init(statuses: 250, events: 10))
  }

  @Test func `events end an hour after they happened last`() async {
    _ = await create("a")
    _ = await write(1, of: 1)
    _ = await write(0, of: 1, rejected: 1)
    time.pass(1800)
    _ = await write(1, of: 1)
    time.pass(1800)
    #expect(await writer.expireEvents() == 1)
    #expect(await events() == ["a Normal Programmed 1 of 1 proxies run it ×2"])
    time.pass(1800)
    #expect(await writer.expireEvents() == 1)
    #expect(await events().isEmpty)
  }
}

extension JSONValue {
  fileprivate func objectSetting(_ key: String, _ value: JSONValue) -> JSONValue {
    var members = objectMembers ?? [:]
    members[key] = value
    return .object(members)
  }
}
