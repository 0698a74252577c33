// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// The changes that patches made, by what they changed.
struct PatchWriters {
  private struct Written {
    var place: PatchTrace.Place
    var change: PatchTrace.Change
    var writer: Provenance.Writer
  }

  private let written: [Written]

  init(_ trace: PatchTrace, _ mesh: MeshSnapshot) {
    let filters = Dictionary(
      mesh.envoyFilters.values.joined().map { ($0.ref, $0) },
      uniquingKeysWith: { first, _ in first })
    written = trace.patches.flatMap { patch -> [Written] in
      let filter = filters[patch.object]
      let value = filter?.configPatches.first { $0.index == patch.index }?.value
      return patch.candidates.compactMap { candidate in
        guard case .changed(let change) = candidate.result else { return nil }
        let writer = Provenance.Writer(
          object: patch.object, path: patch.path,
          location: mesh.sources[patch.object]?.location(of: patch.path), place: candidate.place,
          change: change,
          fields: change.verb == .merged
            ? value.map { Self.set(by: $0, filter?.presence ?? .proto) } ?? [] : [])
        return Written(place: candidate.place, change: change, writer: writer)
      }
    }
  }

  /// What put an element there, put something there that it is part of, or changed it or its parts.
  func writers(of element: NamedElement) -> [Provenance.Writer] {
    let around = element.place.steps
    guard !around.isEmpty else { return [] }
    return written.filter { item in
      guard item.change.verb != .removed else { return false }
      let inside = item.place.steps
      if Self.matches(inside, around.prefix(inside.count)), inside.count <= around.count {
        // The place is around the element, or is the element.
        let isElement = around.count - inside.count <= 1 && item.change.element == element.name
        let isPartOfElement =
          item.change.verb != .merged
          && around.dropFirst(max(inside.count - 1, 0)).contains { $0.name == item.change.element }
        return isElement || isPartOfElement
      }
      return inside.count > around.count && Self.matches(around, inside.prefix(around.count))
    }.map(\.writer)
  }

  func removals(of name: String) -> [Provenance.Writer] {
    written.filter { $0.change.verb == .removed && $0.change.element == name }.map(\.writer)
  }

  /// Positions of nameless places may have shifted since, so they are not compared.
  private static func matches(
    _ left: some Collection<PatchTrace.Place.Step>, _ right: some Collection<PatchTrace.Place.Step>
  ) -> Bool {
    left.count == right.count
      && zip(left, right).allSatisfy { one, other in
        one.kind == other.kind
          && (one.name == other.name || one.name.hasPrefix("#") || other.name.hasPrefix("#"))
      }
  }

  /// The paths of what a MERGE of a value sets, down to what has no fields of its own.
  ///
  /// A name and a type say what is merged into. What holds the default of its type sets nothing,
  /// unless the object asks for explicit presence.
  private static func set(
    by value: JSONValue, _ presence: EnvoyFilter.Presence
  ) -> [FieldPath] {
    func collect(_ value: JSONValue, _ path: FieldPath) -> [FieldPath] {
      switch value {
      case .object(let members) where !members.isEmpty:
        members.filter { $0.key != "@type" }.flatMap { collect($0.value, path[$0.key]) }
      case .array(let elements) where !elements.isEmpty:
        elements.enumerated().flatMap { collect($0.element, path[$0.offset]) }
      case .null, .bool(false), .string(""), .number(.integer(0)), .array:
        presence == .explicit ? [path] : []
      default: [path]
      }
    }
    return collect(value, FieldPath()).filter { $0 != FieldPath("name") }
  }
}
