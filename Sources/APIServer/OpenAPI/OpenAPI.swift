// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import Synchronization

/// The API described by itself: https://kubernetes.io/docs/concepts/overview/kubernetes-api/.
final class OpenAPI: Sendable {
  private let catalog: Catalog
  /// Documents of version 3 by their path, made when they are asked for first.
  private let cache = Mutex<[String: [UInt8]]>([:])

  init(_ catalog: Catalog) { self.catalog = catalog }

  /// `api/v1`, `apis/networking.istio.io/v1`.
  private var paths: [(path: String, group: String, version: String)] {
    let groups = [(name: "", versions: catalog.versions(of: ""))] + catalog.groups
    return groups.flatMap { group in
      group.versions.map { version in
        let path = group.name.isEmpty ? "api/\(version)" : "apis/\(group.name)/\(version)"
        return (path, group.name, version)
      }
    }
  }

  /// `/openapi/v3`: where the documents are; the hash lets clients keep them.
  var index: JSONValue {
    let entries = paths.map { entry -> (String, JSONValue) in
      let hash = ContentHash(of: document(entry.path) ?? [])
      return (
        entry.path, ["serverRelativeURL": .string("/openapi/v3/\(entry.path)?hash=\(hash)")]
      )
    }
    return ["paths": .object(pairs: entries)]
  }

  /// `/openapi/v3/PATH`; nil where there is none.
  func document(_ path: String) -> [UInt8]? {
    if let known = cache.withLock({ $0[path] }) { return known }
    guard let entry = paths.first(where: { $0.path == path }) else { return nil }
    let resources = catalog.resources(group: entry.group, version: entry.version)
    let schemas = SchemaDocument(prefix: "#/components/schemas/")
    let base = "/\(path)"
    var operations: JSONObject = [:]
    for resource in resources {
      let scope = resource.isNamespaced ? "\(base)/namespaces/{namespace}" : base
      let collection = "\(scope)/\(resource.plural)"
      let build = Operations(resource: resource, version: entry.version, schemas: schemas)
      operations[collection] = build.collection
      operations["\(collection)/{name}"] = build.object
      if resource.hasStatus, !resource.isReadOnly {
        operations["\(collection)/{name}/status"] = build.status
      }
      if resource.isNamespaced { operations["\(base)/\(resource.plural)"] = build.everywhere }
    }
    let document: JSONValue = [
      "openapi": "3.0.0", "info": Self.info, "paths": .object(operations),
      "components": [
        "schemas": schemas.definitions(resources.map { ($0, entry.version) })
      ],
    ]
    let bytes = document.bytes()
    cache.withLock { $0[path] = bytes }
    return bytes
  }

  private static let info: JSONValue = [
    "title": "Skiff", "version": .string(Version.current),
  ]

  /// `/openapi/v2`: the schemas alone; clients that look for paths use version 3.
  var version2: JSONValue {
    let kinds = catalog.resources.flatMap { resource in
      resource.versions.map { (resource: resource, version: $0) }
    }
    return [
      "swagger": "2.0", "info": Self.info, "paths": [:],
      "definitions": SchemaDocument(prefix: "#/definitions/").definitions(kinds),
    ]
  }
}
