// SPDX-License-Identifier: Apache-2.0

import JSON

/// Server-side apply: an author says which fields are theirs, and the server takes care that nobody
/// overrides another's (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
struct ServerSideApply {
  let resource: APIResource
  /// Who applies; its fields are not filled in yet.
  let author: ManagedFields.Entry
  let isForced: Bool

  /// Applies a configuration.
  ///
  /// - Parameters:
  ///   - applied: what the author wants, without anything that the server makes.
  ///   - live: as it is; an object with only its identity where there is none yet.
  /// - Returns: the object as it is then, with its new `managedFields`.
  /// - Throws: 409 with a cause for each field of another author that would change.
  func merge(_ applied: JSONValue, into live: JSONValue) throws(APIStatus) -> JSONValue {
    let wanted = FieldSet(of: applied, resource)
    var managed = ManagedFields(live)
    let former = managed.entries.first { $0.isSameManager(as: author) }?.fields ?? FieldSet()
    try resolveConflicts(applied, wanted, live, &managed)

    // What the author no longer wants goes, unless somebody else wants it.
    var dropped = former
    dropped.subtract(wanted)
    for entry in managed.entries where !entry.isSameManager(as: author) {
      dropped.subtract(entry.fields)
    }
    let kept = live.removing(dropped, resource) ?? .object([:])
    let merged = kept.merging(applied: applied, resource)

    var entry = author
    entry.fields = wanted
    if let own = managed.entries.firstIndex(where: { $0.isSameManager(as: author) }) {
      if managed.entries[own].fields == wanted { entry.time = managed.entries[own].time }
      managed.entries[own] = entry
    } else {
      managed.entries.append(entry)
    }
    managed.entries.removeAll { $0.fields.isEmpty }
    return withLastApplied(merged, applied).settingMetadata("managedFields", managed.json)
  }

  private func resolveConflicts(
    _ applied: JSONValue, _ wanted: FieldSet, _ live: JSONValue, _ managed: inout ManagedFields
  ) throws(APIStatus) {
    let own = Self.lastApplied(live).map { (value: $0, fields: FieldSet(of: $0, resource)) }
    var conflicts: [(manager: String, path: [String])] = []
    for path in wanted.paths {
      let new = applied.value(at: path, resource)
      // Elements of lists that merge differ in members that have paths of their own.
      guard let old = live.value(at: path, resource), old != new,
        path.last?.hasPrefix("k:") == false
      else { continue }
      for index in managed.entries.indices
      where !managed.entries[index].isSameManager(as: author)
        && managed.entries[index].fields.touches(path)
      {
        // What kubectl applied from the client's side, and nobody changed since, is kubectl's.
        let isOwn =
          author.manager == "kubectl" && own?.fields.touches(path) == true
          && own?.value.value(at: path, resource) == old
        if isForced || isOwn {
          managed.entries[index].fields.removeAll(below: path)
        } else {
          conflicts.append((managed.entries[index].description, path))
        }
      }
    }
    if !conflicts.isEmpty { throw Self.status(conflicts) }
  }

  /// The annotation in which kubectl keeps what it applied from the client's side.
  static let lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"

  private static func lastApplied(_ live: JSONValue) -> JSONValue? {
    guard let text = live.metadata["annotations"]?[lastAppliedAnnotation]?.stringValue else {
      return Optional.none
    }
    return (try? JSONValue(parsing: text))?.canonical
  }

  /// The annotation after kubectl applied from the server's side, so that it may go back.
  private func withLastApplied(_ merged: JSONValue, _ applied: JSONValue) -> JSONValue {
    guard author.manager == "kubectl", Self.lastApplied(merged) != nil else { return merged }
    let annotations = (merged.metadata["annotations"] ?? [:])
      .setting(Self.lastAppliedAnnotation, .string(applied.text() + "\n"))
    return merged.settingMetadata("annotations", annotations)
  }

  private static func status(_ conflicts: [(manager: String, path: [String])]) -> APIStatus {
    let sorted = conflicts.map { (manager: $0.manager, field: FieldSet.text(of: $0.path)) }
      .sorted { ($0.manager, $0.field) < ($1.manager, $1.field) }
    var text: String
    if let only = sorted.first, sorted.count == 1 {
      text = "1 conflict: conflict with \(only.manager): \(only.field)"
    } else {
      var lines: [String] = []
      var last = ""
      for conflict in sorted {
        if conflict.manager != last { lines.append("conflicts with \(conflict.manager):") }
        last = conflict.manager
        lines.append("- \(conflict.field)")
      }
      text = "\(sorted.count) conflicts: " + lines.joined(separator: "\n")
    }
    return APIStatus(
      code: 409, reason: "Conflict", message: "Apply failed with \(text)",
      causes: sorted.map {
        .init(
          reason: "FieldManagerConflict", message: "conflict with \($0.manager)", field: $0.field)
      })
  }
}
