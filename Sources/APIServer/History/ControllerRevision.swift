// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel
import ObjectStore

/// A generation of an object as the API shows it: Kubernetes' own model of a history
/// (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/).
///
/// `revision` counts the generations, `data` is the object as it was, with its status; labels say of
/// what it is, annotations who made it and what became of it. A deletion is one too, without `data`.
struct ControllerRevision {
  /// Labels.
  static let kind = "skiff.dev/kind"
  static let name = "skiff.dev/name"
  /// Annotations.
  static let manager = "skiff.dev/field-manager"
  static let userAgent = "skiff.dev/user-agent"
  static let result = "skiff.dev/result"

  private let entry: HistoryEntry
  private let resource: APIResource

  init(_ entry: HistoryEntry, of resource: APIResource) {
    self.entry = entry
    self.resource = resource
  }

  /// What selectors look at, which costs little.
  var head: JSONValue {
    var metadata: [(String, JSONValue)] = [
      ("name", .string("\(resource.singular)-\(entry.ref.name)-\(entry.number)"))
    ]
    if resource.isNamespaced { metadata.append(("namespace", .string(entry.ref.namespace))) }
    metadata += [
      ("resourceVersion", .string("\(entry.revision)")),
      (
        "creationTimestamp",
        entry.author.time.map { .string(Timestamp.text(ofSeconds: $0)) } ?? .null
      ),
      ("labels", [Self.kind: .string(resource.kind.kind), Self.name: .string(entry.ref.name)]),
    ]
    return [
      "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": .object(pairs: metadata),
      "revision": .integer(entry.number),
    ]
  }

  var json: JSONValue {
    let object = entry.object?.asVersion(resource.versions[0], of: resource)
    let author = entry.author
    var annotations: JSONObject = [
      Self.manager: .string(author.manager.isEmpty ? "<unknown>" : author.manager),
      Self.result: .string(object.map { RevisionResult.text(of: $0) } ?? "deleted"),
    ]
    if !author.userAgent.isEmpty { annotations[Self.userAgent] = .string(author.userAgent) }
    let owner: JSONValue = [
      "apiVersion": .string(resource.apiVersion(resource.versions[0])),
      "kind": .string(resource.kind.kind), "name": .string(entry.ref.name),
      "uid": .string(object?.uid ?? ""), "controller": true,
    ]
    return head.settingMetadata("annotations", .object(annotations))
      .settingMetadata("ownerReferences", [owner])
      .setting("data", object?.settingMetadata("managedFields", nil))
  }
}
