// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import JSON
import ObjectStore
import Testing

/// Writing objects: identity, versions, what is refused and how.
@Suite struct WriteTests {
  private let client = APIClient()
  private let plugins = APIClient.plugins

  private func create(_ name: String, spec: JSONValue = ["url": "file:///a.wasm"]) async
    -> APIClient.Answer
  {
    await client.send(.post, plugins, APIClient.plugin(name, spec: spec))
  }

  @Test func `an object is made with what the server knows about it`() async throws {
    let answer = await create("a")
    #expect(answer.status == 201)
    let metadata = try #require(answer.json["metadata"])
    #expect(metadata["creationTimestamp"] == "2026-01-01T00:00:00Z")
    #expect(metadata["generation"] == 1)
    #expect(metadata["namespace"] == "default")
    #expect(metadata["uid"]?.stringValue?.count == 36)
    let manager = metadata["managedFields"]?[0]
    #expect(manager?["manager"] == "tests")
    #expect(manager?["fieldsV1"] == ["f:metadata": ["f:labels": [:]], "f:spec": ["f:url": [:]]])
    #expect(await client.get("\(plugins)/a").json == answer.json)
    #expect(await create("a").json["reason"] == "AlreadyExists")
  }

  @Test func `a name is completed where only its beginning is given`() async throws {
    var plugin = APIClient.plugin("x")
    plugin = try JSONValue(
      parsing: plugin.text().replacing("\"name\":\"x\"", with: "\"generateName\":\"x-\""))
    let answer = await client.send(.post, plugins, plugin)
    let name = try #require(answer.json["metadata"]?["name"]?.stringValue)
    #expect(name.hasPrefix("x-") && name.count == 7)
  }

  @Test func `a change of the spec counts, a change that is none does not`() async throws {
    let first = await create("a")
    let same = await client.send(.put, "\(plugins)/a", first.json)
    #expect(same.json == first.json)
    var patch: JSONValue = ["metadata": ["labels": ["a": "b"]]]
    let labelled = await client.send(
      .patch, "\(plugins)/a", patch, type: "application/merge-patch+json")
    #expect(labelled.json["metadata"]?["generation"] == 1)
    #expect(labelled.version != first.version)
    patch = ["spec": ["priority": 3]]
    let changed = await client.send(
      .patch, "\(plugins)/a", patch, type: "application/merge-patch+json")
    #expect(changed.json["metadata"]?["generation"] == 2)
    let stale = await client.send(.put, "\(plugins)/a", first.json)
    #expect(stale.status == 409)
    #expect(
      stale.message
        == "Operation cannot be fulfilled on wasmplugins.extensions.istio.io \"a\": the "
        + "object has been modified; please apply your changes to the latest version and try again")
  }

  @Test func `what is no good is refused with all of its reasons, and changes nothing`() async {
    let before = await client.store.revision()
    let answer = await create("a", spec: ["sha256": "x", "phase": "LATE"])
    #expect(answer.status == 422)
    #expect(answer.json["reason"] == "Invalid")
    #expect(answer.json["details"]?["kind"] == "WasmPlugin")
    let causes = answer.json["details"]?["causes"]?.arrayElements ?? []
    #expect(
      causes.compactMap { $0["field"]?.stringValue } == ["spec.url", "spec.sha256", "spec.phase"])
    #expect(
      causes.compactMap { $0["reason"]?.stringValue }
        == ["FieldValueRequired", "FieldValueInvalid", "FieldValueInvalid"])
    #expect(await client.store.revision() == before)
  }

  @Test func `unknown fields are refused, told or passed over, as the client asks`() async {
    let spec: JSONValue = ["url": "file:///a.wasm", "ulr": "x"]
    let plugin = APIClient.plugin("a", spec: spec)
    let strict = await client.send(.post, "\(plugins)?fieldValidation=Strict", plugin)
    #expect(strict.status == 400)
    #expect(
      strict.message == "WasmPlugin in version \"v1alpha1\" cannot be handled as a WasmPlugin: "
        + "strict decoding error: unknown field \"spec.ulr\"; did you mean \"url\"?")
    let silent = await client.send(.post, "\(plugins)?fieldValidation=Ignore&dryRun=All", plugin)
    #expect(silent.warnings == [])
    let warned = await client.send(.post, plugins, plugin)
    #expect(warned.warnings == [#"299 - "unknown field \"spec.ulr\"; did you mean \"url\"?""#])
    #expect(await client.send(.post, "\(plugins)?fieldValidation=Maybe", plugin).status == 400)
  }

  @Test(arguments: [
    ("POST", "", "text/plain", "{}", 415, "UnsupportedMediaType"),
    ("POST", "", "application/json", "{", 400, "BadRequest"),
    ("POST", "", "application/json", "[]", 400, "BadRequest"),
    ("POST", "", "application/json", #"{"kind":"Gateway"}"#, 400, "BadRequest"),
    (
      "POST", "", "application/json", #"{"metadata":{"name":"a","namespace":"b"}}"#, 400,
      "BadRequest"
    ),
    ("POST", "", "application/json", #"{"metadata":{"name":"A_B"}}"#, 422, "Invalid"),
    ("POST", "/a", "application/json", "{}", 405, "MethodNotAllowed"),
    ("PUT", "", "application/json", "{}", 405, "MethodNotAllowed"),
    ("PUT", "/a", "application/json", #"{"metadata":{"name":"b"}}"#, 400, "BadRequest"),
    ("PUT", "/a", "application/json", "{}", 404, "NotFound"),
    ("PATCH", "/a", "application/json", "{}", 415, "UnsupportedMediaType"),
    ("PATCH", "/a", "application/merge-patch+json", "[]", 400, "BadRequest"),
    ("PATCH", "/a", "application/merge-patch+json", "{}", 404, "NotFound"),
    ("DELETE", "/a", "application/json", "", 404, "NotFound"),
    ("GET", "/a", "", "", 404, "NotFound"),
    ("GET", "/a/scale", "", "", 404, "NotFound"),
    ("GET", "?labelSelector=((", "", "", 400, "BadRequest"),
    ("GET", "?fieldSelector=spec.url=x", "", "", 400, "BadRequest"),
    ("GET", "?limit=many", "", "", 400, "BadRequest"),
    ("GET", "?continue=nonsense", "", "", 400, "BadRequest"),
    ("GET", "?resourceVersion=999999", "", "", 504, "Timeout"),
  ])
  func `a request that makes no sense gets Kubernetes' answer`(
    _ method: String, _ path: String, _ type: String, _ body: String, _ code: Int, _ reason: String
  ) async throws {
    let answer = await client.send(
      try #require(.init(method)), plugins + path, type: type.isEmpty ? nil : type, text: body)
    #expect(answer.status == code)
    #expect(answer.json["kind"] == "Status")
    #expect(answer.json["reason"]?.stringValue == reason)
    #expect(answer.json["code"] == .integer(code))
  }

  @Test func `text of a Secret is stored as its data`() async {
    let secret: JSONValue = ["metadata": ["name": "s"], "stringData": ["k": "v"]]
    let answer = await client.send(.post, "/api/v1/namespaces/default/secrets", secret)
    #expect(answer.json["data"] == ["k": "dg=="])
    #expect(answer.json["stringData"] == nil)
    #expect(answer.json["type"] == "Opaque")
  }

  @Test func `a deletion may name what it means`() async throws {
    let first = await create("a")
    let wrong: JSONValue = ["preconditions": ["uid": "other"]]
    #expect(await client.send(.delete, "\(plugins)/a", wrong).status == 409)
    let uid = try #require(first.json["metadata"]?["uid"])
    let answer = await client.send(.delete, "\(plugins)/a", ["preconditions": ["uid": uid]])
    #expect(answer.json["status"] == "Success")
    #expect(answer.json["details"]?["uid"] == uid)
  }
}
