// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// The operations on a kind.
struct Operations {
  let resource: APIResource
  let version: String
  let schemas: SchemaDocument

  private static func parameter(
    _ name: String, in place: String = "query", _ type: String = "string"
  )
    -> JSONValue
  {
    var members: JSONObject = [
      "name": .string(name), "in": .string(place), "schema": ["type": .string(type)],
    ]
    if place == "path" { members["required"] = true }
    return .object(members)
  }

  private static let writing = ["dryRun", "fieldManager", "fieldValidation"].map { parameter($0) }

  private static let listing =
    [
      "labelSelector", "fieldSelector", "continue", "resourceVersion", "resourceVersionMatch",
    ].map { parameter($0) }
    + [
      parameter("limit", "integer"), parameter("timeoutSeconds", "integer"),
      parameter("watch", "boolean"), parameter("allowWatchBookmarks", "boolean"),
      parameter("sendInitialEvents", "boolean"),
    ]

  private static func parameter(_ name: String, _ type: String) -> JSONValue {
    parameter(name, in: "query", type)
  }

  private func operation(
    _ action: String, _ parameters: [JSONValue] = [], body types: [String] = []
  ) -> JSONValue {
    let name = SchemaDocument.name(resource, version)
    let shown = action == "list" || action == "deletecollection" ? "\(name)List" : name
    var members: JSONObject = [
      "x-kubernetes-action": .string(action),
      "x-kubernetes-group-version-kind": [
        "group": .string(resource.group), "version": .string(version),
        "kind": .string(resource.kind.kind),
      ],
      "parameters": .array(parameters),
      "responses": [
        "200": [
          "description": "OK",
          "content": ["application/json": ["schema": schemas.reference(shown)]],
        ]
      ],
    ]
    if !types.isEmpty {
      let isPatch = action == "patch"
      members["requestBody"] = [
        "required": true,
        "content": .object(
          pairs: types.map { type in
            let schema: JSONValue = isPatch ? ["type": "object"] : schemas.reference(name)
            return (type, ["schema": schema])
          }),
      ]
    }
    return .object(members)
  }

  private func path(_ parameters: [String], _ operations: [(String, JSONValue)]) -> JSONValue {
    let shared = parameters.filter { $0 != "namespace" || resource.isNamespaced }
      .map { Self.parameter($0, in: "path") }
    return .object(pairs: operations + [("parameters", .array(shared))])
  }

  private static let json = ["application/json", "application/yaml"]
  private static let patches = [
    "application/apply-patch+yaml", "application/json-patch+json",
    "application/merge-patch+json",
  ]

  var collection: JSONValue {
    var operations = [("get", operation("list", Self.listing))]
    if !resource.isReadOnly {
      operations += [
        ("post", operation("post", Self.writing, body: Self.json)),
        ("delete", operation("deletecollection", Self.listing)),
      ]
    }
    return path(["namespace"], operations)
  }

  var everywhere: JSONValue { path([], [("get", operation("list", Self.listing))]) }

  var object: JSONValue {
    var operations = [("get", operation("get"))]
    if !resource.isReadOnly {
      operations += changes + [("delete", operation("delete", [Self.parameter("dryRun")]))]
    }
    return path(["namespace", "name"], operations)
  }

  var status: JSONValue { path(["namespace", "name"], [("get", operation("get"))] + changes) }

  private var changes: [(String, JSONValue)] {
    [
      ("put", operation("put", Self.writing, body: Self.json)),
      (
        "patch",
        operation(
          "patch", Self.writing + [Self.parameter("force", "boolean")], body: Self.patches)
      ),
    ]
  }
}
