// SPDX-License-Identifier: Apache-2.0

package import JSON
import MeshModel

extension Provenance {
  /// The whole answer, as `/debug/explain?why=` gives it; docs/skiffctl.md has the shape.
  package var json: JSONValue {
    [
      "name": .string(name), "occurrences": .array(occurrences.map(\.json)),
      "removals": .array(removals.map(\.json)),
    ]
  }
}

extension Provenance.Occurrence {
  fileprivate var json: JSONValue {
    [
      "type": .string(typeURL.rawValue), "resource": .string(resource),
      "path": .string("\(path)"), "writers": .array(writers.map(\.json)),
      "resourceObjects": .array(
        Set(origins.map(\.object)).sorted().map { .string("\($0)") }),
    ]
  }
}

extension Provenance.Writer {
  fileprivate var json: JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("object", object.json(at: location)), ("field", .string("\(path)")),
    ]
    if let place { pairs.append(("place", .string("\(place)"))) }
    if let change { pairs.append(("change", change.json)) }
    if !fields.isEmpty { pairs.append(("fields", .array(fields.map { .string("\($0)") }))) }
    return .object(pairs: pairs)
  }
}
