// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// What a proxy would get anew, otherwise or no more, if one snapshot took the place of another.
package struct SnapshotDiff: Sendable {
  /// One resource that differs.
  package struct Resource: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
      case added
      /// Empty where all that differs is sensitive, a private key for example, and not shown.
      case changed([FieldChange])
      case removed

      package var word: String {
        switch self {
        case .added: "added"
        case .changed: "changed"
        case .removed: "removed"
        }
      }
    }

    package var typeURL: TypeURL
    package var name: String
    package var change: Change
    /// What becomes of its connections; nil for what is no listener.
    package var drain: ListenerDrain?
  }

  /// By type in push order, then by name.
  package let resources: [Resource]

  package init(from old: ResourceSnapshot, to new: ResourceSnapshot) {
    let types = Set(old.typeURLs + new.typeURLs).sorted {
      ($0.pushRank, $0.rawValue) < ($1.pushRank, $1.rawValue)
    }
    resources = types.flatMap { Self.differences(of: $0, from: old[$0], to: new[$0]) }
  }

  package func count(_ word: String) -> Int { resources.count { $0.change.word == word } }

  private static func differences(
    of typeURL: TypeURL, from old: ResourceSet, to new: ResourceSet
  ) -> [Resource] {
    let isListener = typeURL == .listener
    let names = Set(old.resources.map(\.name) + new.resources.map(\.name)).sorted()
    return names.compactMap { name in
      func resource(_ change: Resource.Change, _ drain: ListenerDrain) -> Resource {
        Resource(typeURL: typeURL, name: name, change: change, drain: isListener ? drain : nil)
      }
      guard let former = old[name] else { return resource(.added, .nothing) }
      guard let next = new[name] else { return resource(.removed, .listener(because: [])) }
      guard former.version != next.version else { return nil }
      let changes = TreeComparison.changes(
        from: ResourceJSON.any(former), to: ResourceJSON.any(next))
      guard isListener else { return resource(.changed(changes), .nothing) }
      let drain = ListenerDrain(
        from: ResourceJSON.withSecrets(former), to: ResourceJSON.withSecrets(next))
      return resource(.changed(changes), drain)
    }
  }
}

extension SnapshotDiff {
  /// `{added, changed, removed, resources: [{type, name, change, fields, drain}]}`; the first three
  /// are numbers of resources.
  package var json: JSONValue {
    [
      "added": .integer(count("added")), "changed": .integer(count("changed")),
      "removed": .integer(count("removed")), "resources": .array(resources.map(\.json)),
    ]
  }
}

extension SnapshotDiff.Resource {
  fileprivate var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("type", .string(typeURL.rawValue)), ("name", .string(name)),
      ("change", .string(change.word)),
    ]
    if case .changed(let fields) = change { pairs.append(("fields", .array(fields.map(\.json)))) }
    if let drain { pairs.append(("drain", drain.json)) }
    return .object(pairs: pairs)
  }
}
