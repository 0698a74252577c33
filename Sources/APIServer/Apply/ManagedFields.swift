// SPDX-License-Identifier: Apache-2.0

import JSON

/// Who set which field of an object: `metadata.managedFields`
/// (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
struct ManagedFields {
  enum Operation: String {
    case apply = "Apply"
    case update = "Update"
  }

  struct Entry: Hashable {
    var manager: String
    var operation: Operation
    var apiVersion: String
    var time: String
    var subresource = ""
    var fields: FieldSet

    /// Entries of one manager, operation and subresource are one.
    func isSameManager(as other: Entry) -> Bool {
      manager == other.manager && operation == other.operation && subresource == other.subresource
    }

    /// As Kubernetes names a manager in a conflict.
    var description: String {
      var text = JSONValue.string(manager).text()
      if !subresource.isEmpty { text += " with subresource \"\(subresource)\"" }
      if operation == .update {
        text += " using \(apiVersion)" + (time.isEmpty ? "" : " at \(time)")
      }
      return text
    }
  }

  var entries: [Entry]

  init(_ object: JSONValue) {
    entries = (object["metadata"]?["managedFields"]?.arrayElements ?? []).compactMap { json in
      guard let operation = Operation(rawValue: json["operation"]?.stringValue ?? "") else {
        return nil
      }
      return Entry(
        manager: json["manager"]?.stringValue ?? "", operation: operation,
        apiVersion: json["apiVersion"]?.stringValue ?? "", time: json["time"]?.stringValue ?? "",
        subresource: json["subresource"]?.stringValue ?? "",
        fields: FieldSet(json: json["fieldsV1"] ?? .null))
    }
  }

  var json: JSONValue {
    let ordered = entries.sorted { left, right in
      (left.operation.rawValue, left.time, left.manager, left.subresource)
        < (right.operation.rawValue, right.time, right.manager, right.subresource)
    }
    return .array(
      ordered.map { entry in
        var pairs: [(String, JSONValue)] = [
          ("manager", .string(entry.manager)), ("operation", .string(entry.operation.rawValue)),
          ("apiVersion", .string(entry.apiVersion)), ("time", .string(entry.time)),
          ("fieldsType", "FieldsV1"), ("fieldsV1", entry.fields.json),
        ]
        if !entry.subresource.isEmpty {
          pairs.append(("subresource", .string(entry.subresource)))
        }
        return .object(pairs: pairs)
      })
  }

  /// After somebody wrote a whole object: what changed is theirs, and nobody else's any more.
  mutating func update(
    from old: JSONValue, to new: JSONValue, by author: Entry, _ resource: APIResource
  ) {
    let before = FieldSet(of: old, resource)
    let after = FieldSet(of: new, resource)
    var changed = FieldSet()
    for path in after.paths
    where old.value(at: path, resource) != new.value(at: path, resource) {
      // An element of a list that merges changes when it comes; its members speak for themselves.
      if after.child(at: path).isEmpty || !before.touches(path) { changed.insert(path) }
    }
    var gone = before
    gone.subtract(after)
    for index in entries.indices {
      entries[index].fields.subtract(gone)
      if !entries[index].isSameManager(as: author) { entries[index].fields.subtract(changed) }
    }
    if !changed.isEmpty {
      if let own = entries.firstIndex(where: { $0.isSameManager(as: author) }) {
        entries[own].fields.formUnion(changed)
        entries[own].time = author.time
        entries[own].apiVersion = author.apiVersion
      } else {
        entries.append(author)
        entries[entries.count - 1].fields = changed
      }
    }
    entries.removeAll { $0.fields.isEmpty }
  }
}

extension FieldSet {
  /// Whether anything is below a path: the children of its node.
  fileprivate func child(at path: [String]) -> [String: FieldSet] {
    path.reduce(self as FieldSet?) { $0?[$1] }?.children ?? [:]
  }
}
