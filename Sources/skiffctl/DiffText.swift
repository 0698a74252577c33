// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import Translation

/// A `SnapshotDiff` for people: a line for each resource, below it a line for each field.
///
/// Empty where nothing differs.
enum DiffText {
  static func text(_ diff: SnapshotDiff) -> String {
    guard !diff.resources.isEmpty else { return "" }
    let lines = diff.resources.flatMap(lines) + ["", summary(diff)]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ resource: SnapshotDiff.Resource) -> [String] {
    let type = resource.typeURL.shortName ?? resource.typeURL.rawValue
    let drain = resource.drain.map { ", \(words($0))" } ?? ""
    let head = "\(type) \(resource.name): \(resource.change.word)\(drain)"
    guard case .changed(let fields) = resource.change else { return [head] }
    guard !fields.isEmpty else { return [head, "  what differs is sensitive and not shown"] }
    return [head] + fields.map { "  \(line($0))" }
  }

  private static func words(_ drain: ListenerDrain) -> String {
    switch drain {
    case .nothing: "drains no connection"
    case .filterChains(let chains):
      "drains the connections of \(chains.map(\.description).joined(separator: ", "))"
    case .listener(let fields) where fields.isEmpty: "drains all its connections"
    case .listener(let fields):
      "drains all its connections because of "
        + fields.map(\.description).joined(separator: ", ")
    }
  }

  /// `spec.http[0].timeout: 5s -> 10s`.
  static func line(_ change: FieldChange) -> String { "\(change.path): \(words(change.kind))" }

  private static func words(_ kind: FieldChange.Kind) -> String {
    switch kind {
    case .added(let value): "added \(text(value))"
    case .removed(let value): "removed \(text(value))"
    case .changed(let old, let new): "\(text(old)) -> \(text(new))"
    case .moved(let former): "moved from \(former)"
    }
  }

  /// Longer values are cut here; `-o json` has them whole.
  private static let width = 100

  private static func text(_ value: JSONValue) -> String {
    // A duration reads better without quotes; what could be taken for something else keeps them.
    if let text = value.stringValue, isPlain(text) { return text }
    let text = value.text()
    return text.count <= width ? text : "\(text.prefix(width - 1))…"
  }

  private static func isPlain(_ text: String) -> Bool {
    let isWord = text.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_.|/:*".contains($0))
    }
    return isWord && !text.isEmpty && text.count <= width
  }

  private static func summary(_ diff: SnapshotDiff) -> String {
    let drained = diff.resources.count { $0.drain != nil && $0.drain != .nothing }
    return "\(diff.count("added")) added, \(diff.count("changed")) changed, "
      + "\(diff.count("removed")) removed; connections of \(drained) "
      + "listener\(drained == 1 ? "" : "s") drained"
  }
}
