// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// What the server has, for clients to find out: the classic documents and the aggregated ones
/// (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api).
struct Discovery: Sendable {
  let catalog: Catalog

  /// `/version`; kubectl compares it with its own.
  static let version: JSONValue = [
    "major": "1", "minor": "32", "gitVersion": .string("v1.32.0+skiff-\(Version.current)"),
    "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none", "compiler": "swift", "platform": "linux",
  ]

  /// `/api`.
  var coreVersions: JSONValue {
    [
      "kind": "APIVersions", "versions": ["v1"],
      "serverAddressByClientCIDRs": [],
    ]
  }

  /// `/apis`.
  var groupList: JSONValue {
    [
      "kind": "APIGroupList", "apiVersion": "v1",
      "groups": .array(catalog.groups.map { group($0.name, $0.versions) }),
    ]
  }

  /// `/apis/GROUP`; nil for a group that there is not.
  func group(_ name: String) -> JSONValue? {
    catalog.groups.first { $0.name == name }.map {
      group($0.name, $0.versions)
        .setting("kind", "APIGroup").setting("apiVersion", "v1")
    }
  }

  private func group(_ name: String, _ versions: [String]) -> JSONValue {
    let entries = versions.map { version -> JSONValue in
      ["groupVersion": .string("\(name)/\(version)"), "version": .string(version)]
    }
    return [
      "name": .string(name), "versions": .array(entries), "preferredVersion": entries[0],
    ]
  }

  /// `/api/v1` and `/apis/GROUP/VERSION`; nil where there is nothing.
  func resources(group: String, version: String) -> JSONValue? {
    let found = catalog.resources(group: group, version: version)
    guard !found.isEmpty else { return nil }
    var entries: [JSONValue] = []
    for resource in found {
      entries.append([
        "name": .string(resource.plural), "singularName": .string(resource.singular),
        "namespaced": .bool(resource.isNamespaced), "kind": .string(resource.kind.kind),
        "verbs": .array(resource.verbs.map(JSONValue.string)),
        "shortNames": .array(resource.shortNames.map(JSONValue.string)),
        "categories": .array(resource.categories.map(JSONValue.string)),
        "storageVersionHash": "",
      ])
      if resource.hasStatus, !resource.isReadOnly {
        entries.append([
          "name": .string("\(resource.plural)/status"), "singularName": "",
          "namespaced": .bool(resource.isNamespaced), "kind": .string(resource.kind.kind),
          "verbs": ["get", "patch", "update"],
        ])
      }
    }
    return [
      "kind": "APIResourceList", "apiVersion": "v1",
      "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"),
      "resources": .array(entries),
    ]
  }

  /// `/api` and `/apis` where the client asks for everything at once.
  func aggregated(core: Bool, version: String) -> JSONValue {
    let groups = core ? [(name: "", versions: catalog.versions(of: ""))] : catalog.groups
    return [
      "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"),
      "metadata": [:],
      "items": .array(
        groups.map { group in
          [
            "metadata": ["name": .string(group.name), "creationTimestamp": .null],
            "versions": .array(group.versions.map { aggregated(group.name, $0) }),
          ]
        }),
    ]
  }

  private func aggregated(_ group: String, _ version: String) -> JSONValue {
    let resources = catalog.resources(group: group, version: version).map { resource in
      var members: JSONObject = [
        "resource": .string(resource.plural),
        "responseKind": kind(resource, version),
        "scope": .string(resource.isNamespaced ? "Namespaced" : "Cluster"),
        "singularResource": .string(resource.singular),
        "verbs": .array(resource.verbs.map(JSONValue.string)),
        "shortNames": .array(resource.shortNames.map(JSONValue.string)),
        "categories": .array(resource.categories.map(JSONValue.string)),
      ]
      if resource.hasStatus, !resource.isReadOnly {
        members["subresources"] = [
          [
            "subresource": "status", "responseKind": kind(resource, version),
            "verbs": ["get", "patch", "update"],
          ]
        ]
      }
      return JSONValue.object(members)
    }
    return [
      "version": .string(version), "resources": .array(resources), "freshness": "Current",
    ]
  }

  private func kind(_ resource: APIResource, _ version: String) -> JSONValue {
    [
      "group": .string(resource.group), "version": .string(version),
      "kind": .string(resource.kind.kind),
    ]
  }
}
