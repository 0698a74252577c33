// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A generation of an object, from the ControllerRevision that skiffd shows of it.
package struct ObjectRevision: Sendable {
  /// The ControllerRevision.
  package let json: JSONValue
  /// Counts from 1.
  package let number: Int64
  /// The object as it was, with its status; nil for a deletion.
  package let object: JSONValue?

  package init?(_ json: JSONValue) {
    guard let number = json["revision"]?.integerValue else { return nil }
    self.json = json
    self.number = number
    object = json["data"].flatMap { $0 == .null ? Optional.none : $0 }
  }

  /// RFC 3339; empty where nobody knows.
  package var time: String { json["metadata"]?["creationTimestamp"]?.stringValue ?? "" }

  /// The field manager, and the client where that says more.
  package var author: String {
    let manager = annotation("field-manager")
    let client = String(annotation("user-agent").prefix { $0 != "/" && $0 != " " })
    return client.isEmpty || manager.hasPrefix(client) ? manager : "\(manager) (\(client))"
  }

  /// `programmed 3/3`, `rejected by 1: …`.
  package var result: String { annotation("result") }

  private func annotation(_ name: String) -> String {
    json["metadata"]?["annotations"]?["skiff.dev/\(name)"]?.stringValue ?? ""
  }

  /// What its author wrote of an object: all but its status and what the server makes.
  package static func authored(_ object: JSONValue) -> JSONValue {
    var members = object.objectMembers ?? [:]
    let metadata = members["metadata"]
    var kept: JSONObject = [:]
    for key in ["labels", "annotations"] {
      let own = (metadata?[key]?.objectMembers ?? [:]).filter { !made.contains($0.key) }
      if !own.isEmpty { kept[key] = .object(pairs: own.map { ($0.key, $0.value) }) }
    }
    members["metadata"] = kept.isEmpty ? Optional.none : .object(kept)
    for key in ["apiVersion", "kind", "status"] { members[key] = nil }
    return .object(members)
  }

  /// Annotations that tools keep their books in.
  private static let made: Set<String> = [
    "kubectl.kubernetes.io/last-applied-configuration", "skiff.dev/read-from",
  ]

  /// The object as it shall be again.
  ///
  /// - Parameter live: as it is; nil where it is deleted.
  /// - Returns: what to write; nil for a deletion.
  package func restored(over live: JSONValue?) -> JSONValue? {
    guard var members = object?.objectMembers else { return nil }
    let former = members["metadata"]
    var metadata: JSONObject = [:]
    for key in ["name", "namespace", "labels", "annotations"] {
      metadata[key] = former?[key]
    }
    if case .object(var annotations)? = metadata["annotations"] {
      annotations["skiff.dev/read-from"] = nil
      metadata["annotations"] = .object(annotations)
    }
    // Who holds an object, and what it belongs to, is no matter of its past.
    for key in ["resourceVersion", "finalizers", "ownerReferences"] {
      metadata[key] = live?["metadata"]?[key]
    }
    members["metadata"] = .object(metadata)
    members["status"] = nil
    return .object(members)
  }
}

extension APIConnection {
  /// The history of an object, the oldest first.
  package func history(of key: ObjectKey) async throws(ClientFailure) -> [ObjectRevision] {
    let labels = "skiff.dev/kind=\(key.kind.kind),skiff.dev/name=\(key.name)"
    let path = "/apis/apps/v1/namespaces/\(URLText.escaped(key.namespace))/controllerrevisions"
    let pages = try await list(path, query: [("labelSelector", labels)])
    let revisions = pages.flatMap { $0["items"]?.arrayElements ?? [] }.compactMap {
      ObjectRevision($0)
    }
    guard revisions.isEmpty else { return revisions.sorted { $0.number < $1.number } }
    // Fails where there is no such object.
    _ = try await get(key.path)
    throw .local(
      "\(key.label) has no history; it begins with the next change of what is kept "
        + "(Istio's kinds, Service, ConfigMap)")
  }
}
