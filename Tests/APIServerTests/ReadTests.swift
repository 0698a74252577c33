// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import JSON
import ObjectStore
import Testing

/// Listing, selecting and showing objects.
@Suite struct ReadTests {
  private let client = APIClient()
  private let plugins = APIClient.plugins

  private func fill(_ count: Int) async {
    for number in 0..<count {
      let labels = ["parity": number.isMultiple(of: 2) ? "even" : "odd"]
      _ = await client.send(
        .post, plugins, APIClient.plugin("p\(number)", labels: labels))
    }
  }

  private func names(_ answer: APIClient.Answer) -> [String] {
    (answer.json["items"]?.arrayElements ?? []).compactMap { $0["metadata"]?["name"]?.stringValue }
  }

  @Test func `pages make up the whole, and carry the revision of the first`() async throws {
    await fill(5)
    let first = await client.get("\(plugins)?limit=2")
    #expect(names(first) == ["p0", "p1"])
    #expect(first.json["metadata"]?["remainingItemCount"] == 3)
    let token = try #require(first.json["metadata"]?["continue"]?.stringValue)
    _ = await client.send(.delete, "\(plugins)/p2")
    let second = await client.get("\(plugins)?limit=2&continue=\(token)")
    #expect(names(second) == ["p3", "p4"])
    #expect(second.json["metadata"]?["continue"] == nil)
    #expect(second.version == first.version)
  }

  @Test(arguments: [
    ("labelSelector=parity=even", ["p0", "p2", "p4"]),
    ("labelSelector=parity%21%3Deven", ["p1", "p3"]),
    ("labelSelector=parity+in+(odd,even),parity+notin+(even)", ["p1", "p3"]),
    ("labelSelector=%21parity", []), ("fieldSelector=metadata.name%3Dp3", ["p3"]),
    ("fieldSelector=metadata.name!=p3&labelSelector=parity=odd", ["p1"]),
    ("labelSelector=parity=even&limit=2", ["p0", "p2"]),
  ])
  func `selectors select`(_ query: String, _ expected: [String]) async {
    await fill(5)
    #expect(names(await client.get("\(plugins)?\(query)")) == expected)
  }

  @Test func `a table has the columns of the kind`() async {
    await fill(1)
    let answer = await client.send(
      .get, plugins, accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
    let columns = answer.json["columnDefinitions"]?.arrayElements ?? []
    #expect(
      columns.compactMap { $0["name"]?.stringValue }
        == ["Name", "URL", "Phase", "Programmed", "Rejected", "Age", "Selector"])
    let row = answer.json["rows"]?[0]
    #expect(row?["cells"] == ["p0", "file:///a.wasm", "", "-", "-", "0s", "<all>"])
    #expect(row?["object"]?["kind"] == "PartialObjectMetadata")
  }

  @Test func `what the server cannot write is not acceptable`() async {
    let answer = await client.send(.get, plugins, accept: "application/vnd.kubernetes.protobuf")
    #expect(answer.status == 406)
  }

  @Test func `discovery comes in one document or in many`() async {
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    let all = await client.send(.get, "/apis", accept: accept + ",application/json")
    #expect(all.contentType == accept)
    #expect(all.json["kind"] == "APIGroupDiscoveryList")
    let groups = await client.get("/apis")
    #expect(groups.json["kind"] == "APIGroupList")
    let names = (groups.json["groups"]?.arrayElements ?? []).compactMap { $0["name"]?.stringValue }
    #expect(names.contains("networking.istio.io"))
    for name in names {
      let group = await client.get("/apis/\(name)")
      let version = group.json["preferredVersion"]?["groupVersion"]?.stringValue ?? ""
      let resources = await client.get("/apis/\(version)")
      #expect(resources.json["resources"]?.arrayElements?.isEmpty == false)
    }
    #expect(await client.get("/apis/nothing.example.com").status == 404)
  }

  @Test func `every kind that reading knows is served`() async {
    let crds = await client.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    let kinds = (crds.json["items"]?.arrayElements ?? []).compactMap {
      $0["spec"]?["names"]?["kind"]?.stringValue
    }
    #expect(Set(kinds) == Set(KindNames.istio))
  }

  @Test func `schemas are those of the decoders`() async throws {
    let index = await client.get("/openapi/v3")
    let path = "apis/extensions.istio.io/v1alpha1"
    let url = try #require(index.json["paths"]?[path]?["serverRelativeURL"]?.stringValue)
    let document = await client.get(url)
    let schema = document.json["components"]?["schemas"]?[
      "io.istio.extensions.v1alpha1.WasmPlugin"]
    let spec = schema?["properties"]?["spec"]?["properties"]
    #expect(spec?["url"]?["type"] == "string")
    #expect(spec?["priority"]?["type"] == "integer")
    #expect(spec?["phase"]?["enum"]?.arrayElements?.contains("AUTHN") == true)
    #expect(
      spec?["selector"]?["properties"]?["matchLabels"]?["x-kubernetes-preserve-unknown-fields"]
        == true)
    let ports = spec?["match"]?["items"]?["properties"]?["ports"]?["items"]
    #expect(ports?["properties"]?["number"]?["type"] == "integer")
    #expect(await client.get("/openapi/v2").json["swagger"] == "2.0")
  }
}
