// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel

/// The CustomResourceDefinitions of Istio's kinds, for tools that look whether those are installed:
/// read-only, made from the catalog.
struct Definitions: Sendable {
  let objects: [JSONValue]

  init(_ catalog: Catalog, created: Int64) {
    let time = JSONValue.string(Timestamp.text(ofSeconds: created))
    objects = catalog.resources
      .filter { $0.group.hasSuffix(".istio.io") }
      .sorted { $0.groupResource < $1.groupResource }
      .map { Self.definition($0, time).canonical }
  }

  private static func definition(_ resource: APIResource, _ time: JSONValue) -> JSONValue {
    let names: JSONValue = [
      "plural": .string(resource.plural), "singular": .string(resource.singular),
      "kind": .string(resource.kind.kind), "listKind": .string("\(resource.kind.kind)List"),
      "shortNames": .array(resource.shortNames.map(JSONValue.string)),
      "categories": .array(resource.categories.map(JSONValue.string)),
    ]
    func condition(_ type: String, _ reason: String) -> JSONValue {
      [
        "type": .string(type), "status": "True", "reason": .string(reason), "message": "",
        "lastTransitionTime": time,
      ]
    }
    return [
      "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
      "metadata": [
        "name": .string(resource.groupResource), "creationTimestamp": time, "generation": 1,
        "resourceVersion": "1", "uid": .string("crd-\(resource.groupResource)"),
      ],
      "spec": [
        "group": .string(resource.group), "names": names,
        "scope": .string(resource.isNamespaced ? "Namespaced" : "Cluster"),
        "versions": .array(
          resource.versions.map { version in
            [
              "name": .string(version), "served": true,
              "storage": .bool(version == resource.versions[0]),
              "subresources": ["status": [:]],
              "schema": [
                "openAPIV3Schema": [
                  "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                ]
              ],
            ]
          }),
      ],
      "status": [
        "acceptedNames": names, "storedVersions": [.string(resource.versions[0])],
        "conditions": [
          condition("NamesAccepted", "NoConflicts"),
          condition("Established", "InitialNamesAccepted"),
        ],
      ],
    ]
  }
}
