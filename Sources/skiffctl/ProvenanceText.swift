// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Translation

/// A `Provenance` for people: each thing of the name, below it who wrote it.
enum ProvenanceText {
  static func text(_ provenance: Provenance) -> String {
    let blocks = provenance.occurrences.map(lines) + removals(provenance)
    return blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private static func lines(_ occurrence: Provenance.Occurrence) -> [String] {
    let type = occurrence.typeURL.shortName ?? occurrence.typeURL.rawValue
    let path = occurrence.path.components.isEmpty ? "" : " \(occurrence.path)"
    let head = "\(type) \(occurrence.resource)\(path)"
    guard occurrence.writers.isEmpty else { return [head] + occurrence.writers.map(line) }
    let objects = Set(occurrence.origins.map(\.object)).sorted()
    return [head + ": every such proxy has it"]
      + (objects.isEmpty ? [] : ["  the \(type) resource is from \(list(objects))"])
  }

  /// More objects than this are counted, not listed.
  private static let mostObjects = 10

  private static func list(_ objects: [ObjectRef]) -> String {
    let shown = objects.prefix(mostObjects).map(\.description).joined(separator: ", ")
    return objects.count > mostObjects
      ? "\(shown) and \(objects.count - mostObjects) more" : shown
  }

  private static func line(_ writer: Provenance.Writer) -> String {
    let path = writer.path.components.isEmpty ? "" : ": \(writer.path)"
    let location = writer.location.map { " (\($0))" } ?? ""
    let change = writer.change.map { ": \(ChangeWords.text($0))" } ?? ""
    let isMerge = writer.change?.verb == .merged
    let fields =
      isMerge && !writer.fields.isEmpty
      ? ": " + writer.fields.map(\.description).joined(separator: ", ") : ""
    return "  \(writer.object)\(path)\(location)\(change)\(fields)"
  }

  private static func removals(_ provenance: Provenance) -> [[String]] {
    provenance.removals.map { writer in
      let place = writer.place.map { "\($0): " } ?? ""
      return ["\(place)removed", line(writer)]
    }
  }
}
