// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import JSON
import ObjectStore
import Testing

/// The forms of PATCH, over a real object.
@Suite struct PatchTests {
  private let client = APIClient()

  private func patched(_ patch: String, _ type: String) async throws -> APIClient.Answer {
    let spec: JSONValue = [
      "url": "file:///a.wasm", "priority": 1, "pluginConfig": ["a": ["b", "c"]],
    ]
    _ = await client.send(.post, APIClient.plugins, APIClient.plugin("a", spec: spec))
    return await client.send(
      .patch, "\(APIClient.plugins)/a", type: "application/\(type)", text: patch)
  }

  @Test(arguments: [
    (#"[{"op":"add","path":"/spec/pluginConfig/a/-","value":"d"}]"#, #"{"a":["b","c","d"]}"#),
    (#"[{"op":"add","path":"/spec/pluginConfig/a/0","value":"d"}]"#, #"{"a":["d","b","c"]}"#),
    (#"[{"op":"remove","path":"/spec/pluginConfig/a/0"}]"#, #"{"a":["c"]}"#),
    (#"[{"op":"replace","path":"/spec/pluginConfig/a/1","value":{}}]"#, #"{"a":["b",{}]}"#),
    (
      #"[{"op":"move","from":"/spec/pluginConfig/a/0","path":"/spec/pluginConfig/x"}]"#,
      #"{"a":["c"],"x":"b"}"#
    ),
    (
      #"[{"op":"copy","from":"/spec/pluginConfig/a","path":"/spec/pluginConfig/x~1y~0z"}]"#,
      #"{"a":["b","c"],"x/y~z":["b","c"]}"#
    ),
    (#"[{"op":"test","path":"/spec/priority","value":1}]"#, #"{"a":["b","c"]}"#),
  ])
  func `a JSON patch does what its operations say`(
    _ patch: String, _ expected: String
  ) async throws {
    let answer = try await patched(patch, "json-patch+json")
    #expect(answer.json["spec"]?["pluginConfig"] == (try JSONValue(parsing: expected)))
  }

  @Test(arguments: [
    #"[{"op":"remove","path":"/spec/nothing"}]"#,
    #"[{"op":"replace","path":"/spec/no","value":1}]"#,
    #"[{"op":"add","path":"/spec/pluginConfig/a/9","value":1}]"#,
    #"[{"op":"add","path":"/no/where","value":1}]"#,
    #"[{"op":"test","path":"/spec/priority","value":2}]"#,
    #"[{"op":"remove","path":"/spec/pluginConfig/a/01"}]"#,
  ])
  func `a JSON patch that cannot be done is refused as a whole`(_ patch: String) async throws {
    let answer = try await patched(patch, "json-patch+json")
    #expect(answer.status == 422)
    #expect(answer.json["reason"] == "Invalid")
  }

  @Test(arguments: [
    ("{}", 400), (#"[{"op":"dance","path":"/a"}]"#, 400), (#"[{"op":"add","path":"a"}]"#, 400),
    (#"[{"op":"remove","path":"/metadata/name"}]"#, 200), (#"[{"op":"remove","path":""}]"#, 422),
    (#"[{"op":"replace","path":"","value":3}]"#, 400),
  ])
  func `a JSON patch that is none gets an answer`(_ patch: String, _ code: Int) async throws {
    #expect(try await patched(patch, "json-patch+json").status == code)
  }

  @Test func `null in a merge patch removes`() async throws {
    let answer = try await patched(
      #"{"spec":{"priority":null,"pluginConfig":{"a":null,"x":1}}}"#, "merge-patch+json")
    #expect(answer.json["spec"] == ["pluginConfig": ["x": 1], "url": "file:///a.wasm"])
  }

  @Test func `a strategic patch merges ports by their number`() async throws {
    let path = "/api/v1/namespaces/default/services"
    let service: JSONValue = [
      "metadata": ["name": "s"],
      "spec": [
        "ports": [
          ["port": 80, "name": "a"], ["port": 81, "name": "b"], ["port": 82, "name": "c"],
        ]
      ],
    ]
    _ = await client.send(.post, path, service)
    let patch = """
      {"spec":{"$setElementOrder/ports":[{"port":83},{"port":82},{"port":80}],
       "ports":[{"port":83,"name":"d"},{"port":80,"name":"z"},{"port":81,"$patch":"delete"}]}}
      """
    let answer = await client.send(
      .patch, "\(path)/s", type: "application/strategic-merge-patch+json", text: patch)
    let ports = answer.json["spec"]?["ports"]?.arrayElements ?? []
    #expect(ports.compactMap { $0["name"]?.stringValue } == ["d", "c", "z"])
  }

  @Test func `a patch that names another revision is refused`() async throws {
    let answer = try await patched(
      #"{"metadata":{"resourceVersion":"1"},"spec":{"priority":2}}"#, "merge-patch+json")
    #expect(answer.status == 409)
  }

  @Test func `copies of copies do not grow without end`() async throws {
    let copies = (0..<64).map { _ in
      #"{"op":"copy","from":"/spec/pluginConfig","path":"/spec/pluginConfig/x"},"#
        + #"{"op":"copy","from":"/spec/pluginConfig","path":"/spec/pluginConfig/y"}"#
    }
    let answer = try await patched("[\(copies.joined(separator: ","))]", "json-patch+json")
    #expect(answer.status == 413)
  }
}
