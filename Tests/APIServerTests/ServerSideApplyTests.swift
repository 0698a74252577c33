// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import JSON
import ObjectStore
import Testing

/// Who owns which field, and what happens when two want one.
@Suite struct ServerSideApplyTests {
  private let client = APIClient()
  private let path = "\(APIClient.plugins)/a"

  private func apply(
    _ manager: String, _ spec: JSONValue, force: Bool = false
  ) async -> APIClient.Answer {
    await client.send(
      .patch, "\(path)?fieldManager=\(manager)&force=\(force)",
      APIClient.plugin("a", spec: spec), type: "application/apply-patch+yaml")
  }

  /// The fields of `spec` that a manager owns.
  private func owned(_ answer: APIClient.Answer, by manager: String) -> [String] {
    let entries = answer.json["metadata"]?["managedFields"]?.arrayElements ?? []
    let entry = entries.first { $0["manager"]?.stringValue == manager }
    return (entry?["fieldsV1"]?["f:spec"]?.objectMembers?.keys ?? []).sorted()
  }

  @Test func `applying makes the object, and applying again changes nothing`() async {
    let first = await apply("one", ["url": "file:///a.wasm"])
    #expect(first.status == 201)
    #expect(owned(first, by: "one") == ["f:url"])
    let again = await apply("one", ["url": "file:///a.wasm"])
    #expect(again.status == 200)
    #expect(again.json == first.json)
  }

  @Test func `a field of another is refused, or taken by force`() async {
    _ = await apply("one", ["url": "file:///a.wasm", "priority": 1])
    let refused = await apply("two", ["url": "file:///b.wasm", "priority": 1])
    #expect(refused.status == 409)
    #expect(refused.message == "Apply failed with 1 conflict: conflict with \"one\": .spec.url")
    #expect(
      refused.json["details"]?["causes"] == [
        [
          "reason": "FieldManagerConflict", "message": "conflict with \"one\"",
          "field": ".spec.url",
        ]
      ])
    let forced = await apply("two", ["url": "file:///b.wasm", "priority": 1], force: true)
    #expect(forced.json["spec"]?["url"] == "file:///b.wasm")
    #expect(owned(forced, by: "one") == ["f:priority"])
    #expect(owned(forced, by: "two") == ["f:priority", "f:url"])
  }

  @Test func `several conflicts are told together`() async {
    _ = await apply("one", ["url": "file:///a.wasm", "priority": 1])
    let refused = await apply("two", ["url": "file:///b.wasm", "priority": 2])
    #expect(
      refused.message == "Apply failed with 2 conflicts: conflicts with \"one\":\n"
        + "- .spec.priority\n- .spec.url")
  }

  @Test func `a field goes with the last who wants it`() async {
    _ = await apply("one", ["url": "file:///a.wasm", "priority": 1])
    _ = await apply("two", ["url": "file:///a.wasm", "priority": 1])
    let kept = await apply("one", ["url": "file:///a.wasm"])
    #expect(kept.json["spec"]?["priority"] == 1)
    let gone = await apply("two", ["url": "file:///a.wasm"])
    #expect(gone.json["spec"] == ["url": "file:///a.wasm"])
  }

  @Test func `who patches a field owns it, and the next apply of its owner is a conflict`() async {
    _ = await apply("one", ["url": "file:///a.wasm", "priority": 1])
    let patched = await client.send(
      .patch, "\(path)?fieldManager=hand", ["spec": ["priority": 2]],
      type: "application/merge-patch+json")
    #expect(owned(patched, by: "one") == ["f:url"])
    #expect(owned(patched, by: "hand") == ["f:priority"])
    let refused = await apply("one", ["url": "file:///a.wasm", "priority": 1])
    #expect(
      refused.message == "Apply failed with 1 conflict: conflict with \"hand\" using "
        + "extensions.istio.io/v1alpha1 at 2026-01-01T00:00:00Z: .spec.priority")
  }

  @Test func `ports of a Service are owned one by one`() async {
    let path = "/api/v1/namespaces/default/services/s"
    func apply(_ manager: String, _ spec: JSONValue) async -> APIClient.Answer {
      await client.send(
        .patch, "\(path)?fieldManager=\(manager)",
        [
          "apiVersion": "v1", "kind": "Service", "metadata": ["name": "s"],
          "spec": spec,
        ], type: "application/apply-patch+yaml")
    }
    let http: JSONValue = ["name": "http", "port": 80]
    let grpc: JSONValue = ["name": "grpc", "port": 81]
    _ = await apply("one", ["ports": [http]])
    let both = await apply("two", ["ports": [grpc]])
    #expect(both.json["spec"]?["ports"]?.arrayElements?.count == 2)
    let left = await apply("two", ["selector": ["app": "shop"]])
    let names = left.json["spec"]?["ports"]?.arrayElements?.compactMap { $0["name"]?.stringValue }
    #expect(names == ["http"])
  }
}
