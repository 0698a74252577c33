// SPDX-License-Identifier: Apache-2.0

import JSON
import KubeClient
import Manifests
import MeshModel
import Testing

/// What people read: tables, and the server's words with places in their files.
@Suite struct TextTests {
  private let table: JSONValue = [
    "columnDefinitions": [
      ["name": "Name", "format": "name", "priority": 0], ["name": "Hosts", "priority": 0],
      ["name": "Age", "priority": 0], ["name": "Selector", "priority": 1],
    ],
    "rows": [
      [
        "cells": ["web", "web.example.com", "5m", "app=web"],
        "object": ["metadata": ["namespace": "default"]],
      ],
      ["cells": ["b", .null, "12d", ""], "object": ["metadata": ["namespace": "istio-system"]]],
    ],
  ]

  @Test func `a table has columns three spaces apart`() {
    var text = TableText()
    #expect(
      text.text([table]) == """
        NAME   HOSTS             AGE
        web    web.example.com   5m
        b      <none>            12d

        """)
    // A later event of a watch brings no columns.
    #expect(text.rows(["rows": [["cells": ["c", "x", "1s", ""]]]]) == [["c", "x", "1s"]])
  }

  @Test func `a table may have all columns, namespaces and kinds`() {
    var text = TableText()
    text.isWide = true
    text.hasNamespace = true
    text.prefix = "gateway.networking.istio.io"
    #expect(
      text.text([table]).split(separator: "\n") == [
        "NAMESPACE      NAME                              HOSTS             AGE   SELECTOR",
        "default        gateway.networking.istio.io/web   web.example.com   5m    app=web",
        "istio-system   gateway.networking.istio.io/b     <none>            12d   ",
      ])
  }

  private let written = """
    apiVersion: v1
    kind: List
    items:
    - apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: web
        annotations: {a.b/c: d}
      spec:
        http:
        - name: one
          route:
          - destination:
              host: a
    """

  private func object() throws -> WrittenObject {
    let document = try #require(
      YAMLParser().parse(Array(written.utf8), file: "web.yaml").documents.first)
    guard case .list(let items)? = document["items"]?.content else { throw CancellationError() }
    return WrittenObject(items[0], file: "web.yaml")
  }

  @Test(arguments: [
    ("spec.http[0].route[0].destination.host", 14),
    ("spec.http[0].route[0].destination.port.number", 13),
    ("spec.http[7].name", 10), ("metadata.annotations[\"a.b/c\"]", 8), ("status", 4),
  ])
  func `a field that the server names is found in the file`(_ path: String, _ line: Int) throws {
    #expect(try object().place(of: path)?.description == "web.yaml:\(line)")
  }

  private func status(_ json: JSONValue) throws -> ServerStatus { try #require(ServerStatus(json)) }

  @Test func `a refusal has all causes with their lines`() throws {
    let invalid = try status([
      "kind": "Status", "code": 422, "reason": "Invalid", "message": "m",
      "details": [
        "kind": "VirtualService", "name": "web",
        "causes": [
          [
            "reason": "FieldValueInvalid", "message": "Invalid value: x",
            "field": "spec.http[0].name",
          ],
          ["reason": "FieldValueRequired", "message": "Required value: y", "field": "spec.hosts"],
        ],
      ],
    ])
    #expect(
      invalid.text(of: try object()) == """
        The VirtualService "web" (web.yaml:4) is invalid: 
        * spec.http[0].name: Invalid value: x (web.yaml:11)
        * spec.hosts: Required value: y (web.yaml:9)
        """)
    var one = invalid
    one.causes.removeLast()
    #expect(
      one.text() == "The VirtualService \"web\" is invalid: spec.http[0].name: Invalid value: x")
  }

  @Test func `other answers have their reason`() throws {
    let missing = try status([
      "kind": "Status", "code": 404, "reason": "NotFound", "message": "gateways \"x\" not found",
    ])
    #expect(missing.text() == "Error from server (NotFound): gateways \"x\" not found")
    #expect(
      missing.text(of: try object())
        == "Error from server (NotFound): error when applying \"web.yaml:4\": "
        + "gateways \"x\" not found")
    #expect(ServerStatus(["kind": "Error", "message": "x"]) == nil)
  }
}
