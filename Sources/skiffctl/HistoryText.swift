// SPDX-License-Identifier: Apache-2.0

import JSON
import KubeClient
import Translation

/// The history of an object for people.
enum HistoryText {
  /// Longer cells are cut; `--revision` has them whole.
  private static let width = 72

  static func table(_ revisions: [ObjectRevision]) -> String {
    let rows = revisions.indices.map { index in
      let revision = revisions[index]
      return [
        "\(revision.number)", revision.time.isEmpty ? "<unknown>" : revision.time,
        revision.author, cut(change(index, revisions)), cut(revision.result),
      ]
    }
    return TableText.aligned([["REVISION", "WHEN", "WHO", "CHANGE", "RESULT"]] + rows)
  }

  /// What its author changed: the first field, and how many more.
  ///
  /// Labels and annotations may have been changed by others in between, which makes no revision.
  private static func change(_ index: Int, _ revisions: [ObjectRevision]) -> String {
    let revision = revisions[index]
    guard let object = revision.object else { return "deleted" }
    let spec = spec(object)
    let earlier = revisions[..<max(0, index - 1)].last { $0.object.map(self.spec) == spec }
    let again = earlier.map { "as revision \($0.number)" }
    guard index > 0 else {
      // Before the first one that is kept, or that had an author, there may have been others.
      return revision.number == 1 && !revision.time.isEmpty ? "created" : "<unknown>"
    }
    guard let former = revisions[index - 1].object else {
      return ["created", again].compactMap(\.self).joined(separator: ", ")
    }
    let changes = TreeComparison.changes(from: self.spec(former), to: spec)
    let more = changes.count > 1 ? ["+\(changes.count - 1) more"] : []
    return ([again, changes.first.map(DiffText.line)].compactMap(\.self) + more)
      .joined(separator: ", ")
  }

  private static func spec(_ object: JSONValue) -> JSONValue {
    var members = ObjectRevision.authored(object).objectMembers ?? [:]
    members["metadata"] = nil
    return .object(members)
  }

  /// All fields that differ between two revisions, a line each.
  static func difference(_ old: JSONValue?, _ new: JSONValue?) -> [String] {
    TreeComparison.changes(
      from: old.map(ObjectRevision.authored) ?? [:], to: new.map(ObjectRevision.authored) ?? [:]
    ).map(DiffText.line)
  }

  private static func cut(_ text: String) -> String {
    let line = text.prefix { !$0.isNewline }
    return line.count <= width ? String(line) : "\(line.prefix(width - 1))…"
  }
}
