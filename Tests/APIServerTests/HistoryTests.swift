// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import JSON
import Testing

/// The history as the API shows it: ControllerRevisions.
@Suite struct HistoryTests {
  private let client = APIClient()
  private let plugins = APIClient.plugins
  private let revisions = "/apis/apps/v1/namespaces/default/controllerrevisions"

  private func edit(_ name: String, _ patch: JSONValue, to part: String = "") async {
    let answer = await client.send(
      .patch, "\(plugins)/\(name)\(part)?fieldManager=ann", patch,
      type: "application/merge-patch+json")
    #expect(answer.status == 200)
  }

  private func list(_ query: String = "") async -> [JSONValue] {
    await client.get(revisions + query).json["items"]?.arrayElements ?? []
  }

  private func condition(_ type: String, _ status: String, _ message: String, _ of: Int64)
    -> JSONValue
  {
    [
      "type": .string(type), "status": .string(status), "reason": "Because",
      "message": .string(message), "observedGeneration": .integer(of),
    ]
  }

  @Test func `each generation is a revision with its author and what became of it`() async throws {
    _ = await client.send(.post, plugins, APIClient.plugin("a"))
    await edit(
      "a",
      [
        "status": [
          "conditions": [
            condition("Programmed", "False", "", 1),
            condition("Rejected", "True", "unknown import (east)", 1),
          ], "proxies": ["programmed": 2, "total": 3, "rejected": 1],
        ]
      ], to: "/status")
    await edit("a", ["metadata": ["labels": ["a": "b"]]])
    await edit("a", ["spec": ["priority": 3]])
    let found = await list()
    #expect(found.map { $0["metadata"]?["name"] } == ["wasmplugin-a-1", "wasmplugin-a-2"])
    let first = try #require(found.first)
    #expect(first["revision"] == 1)
    let uid = first["data"]?["metadata"]?["uid"] ?? .null
    #expect(
      first["metadata"] == [
        "name": "wasmplugin-a-1", "namespace": "default", "resourceVersion": "2",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": ["skiff.dev/kind": "WasmPlugin", "skiff.dev/name": "a"],
        "annotations": [
          "skiff.dev/field-manager": "tests",
          "skiff.dev/result": "rejected by 1: unknown import (east)",
          "skiff.dev/user-agent": "tests/1.0",
        ],
        "ownerReferences": [
          [
            "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "name": "a",
            "uid": uid, "controller": true,
          ]
        ],
      ])
    // As it was in the end, with the labels of then.
    #expect(first["data"]?["spec"] == ["url": "file:///a.wasm"])
    #expect(first["data"]?["metadata"]?["labels"] == ["a": "b"])
    #expect(first["data"]?["metadata"]?["managedFields"] == nil)
    // What was measured of the former generation is nothing about this one.
    #expect(found[1]["metadata"]?["annotations"]?["skiff.dev/result"] == "unknown")
    #expect(found[1]["metadata"]?["annotations"]?["skiff.dev/field-manager"] == "ann")
    #expect(await client.get("\(revisions)/wasmplugin-a-1").json == first)
    #expect(await client.get("\(revisions)/wasmplugin-a-3").status == 404)
  }

  @Test func `a deletion is a revision, and so is what comes after it`() async {
    _ = await client.send(.post, plugins, APIClient.plugin("a"))
    _ = await client.send(.delete, "\(plugins)/a")
    _ = await client.send(.post, plugins, APIClient.plugin("a"))
    let found = await list()
    #expect(found.map { $0["revision"] } == [1, 2, 3])
    #expect(found[1]["data"] == nil)
    #expect(found[1]["metadata"]?["annotations"]?["skiff.dev/result"] == "deleted")
    #expect(found[1]["metadata"]?["annotations"]?["skiff.dev/field-manager"] == "tests")
    // With its namespace everything goes.
    _ = await client.send(
      .post, plugins.replacing("default", with: "x"), APIClient.plugin("b"))
    #expect(await client.send(.delete, "/api/v1/namespaces/x").status == 200)
    let gone = await client.get(revisions.replacing("default", with: "x")).json["items"]
    #expect(gone?.arrayElements?.map { $0["revision"] } == [1, 2])
  }

  @Test func `what Secrets hold, and what fails or is tried, leaves no history`() async {
    let secrets = "/api/v1/namespaces/default/secrets"
    let secret: JSONValue = ["metadata": ["name": "s"], "stringData": ["password": "hunter2"]]
    _ = await client.send(.post, secrets, secret)
    _ = await client.send(
      .patch, "\(secrets)/s", ["stringData": ["password": "hunter3"]],
      type: "application/merge-patch+json")
    _ = await client.send(.delete, "\(secrets)/s")
    _ = await client.send(.post, plugins, APIClient.plugin("a", spec: ["url": 7]))
    _ = await client.send(.post, "\(plugins)?dryRun=All", APIClient.plugin("a"))
    #expect(await list().isEmpty)
  }

  @Test func `revisions are selected, shown in tables, and only read`() async {
    for name in ["a", "b"] {
      _ = await client.send(.post, plugins, APIClient.plugin(name))
      await edit(name, ["spec": ["priority": 1]])
    }
    let found = await list("?labelSelector=skiff.dev/kind%3DWasmPlugin,skiff.dev/name%3Db")
    #expect(found.map { $0["metadata"]?["name"] } == ["wasmplugin-b-1", "wasmplugin-b-2"])
    #expect(await list("?fieldSelector=metadata.name%3Dwasmplugin-a-2").count == 1)
    let table = await client.send(
      .get, "/apis/apps/v1/controllerrevisions",
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
    #expect(
      table.json["rows"]?[0]?["cells"] == [
        "wasmplugin-a-1", "wasmplugin.extensions.istio.io/a", "1", "tests", "unknown", "0s",
      ])
    for (method, path) in [
      (HTTPMethod.post, revisions), (.put, "\(revisions)/wasmplugin-a-1"),
      (.delete, "\(revisions)/wasmplugin-a-1"), (.delete, revisions),
      (.get, "\(revisions)?watch=true"),
    ] {
      #expect(await client.send(method, path, ["metadata": [:]]).status == 405)
    }
  }

  private typealias HTTPMethod = HTTPTypes.HTTPRequest.Method
}
