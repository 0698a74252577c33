// SPDX-License-Identifier: Apache-2.0

import JSON
import KubeClient

/// What a server says that it has: Service, VirtualService in two versions, and WasmPlugin.
enum Served {
  private static func kind(
    _ kind: String, _ plural: String, short: [String] = [], categories: [String] = []
  ) -> JSONValue {
    [
      "resource": .string(plural), "responseKind": ["kind": .string(kind)],
      "scope": "Namespaced", "singularResource": .string(kind.lowercased()),
      "verbs": ["get", "list", "watch"],
      "shortNames": .array(short.map(JSONValue.string)),
      "categories": .array(categories.map(JSONValue.string)),
      "subresources": [["subresource": "status"]],
    ]
  }

  private static func version(_ version: String, _ kinds: JSONValue...) -> JSONValue {
    ["version": .string(version), "resources": .array(kinds)]
  }

  private static let route = kind(
    "VirtualService", "virtualservices", short: ["vs"], categories: ["istio-io"])

  static let index = KindIndex(discovery: [
    [
      "items": [
        ["metadata": ["name": ""], "versions": [version("v1", kind("Service", "services"))]]
      ]
    ],
    [
      "items": [
        [
          "metadata": ["name": "networking.istio.io"],
          "versions": [version("v1", route), version("v1beta1", route)],
        ],
        [
          "metadata": ["name": "extensions.istio.io"],
          "versions": [
            version("v1alpha1", kind("WasmPlugin", "wasmplugins", categories: ["istio-io"]))
          ],
        ],
      ]
    ],
  ])
}
