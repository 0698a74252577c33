// SPDX-License-Identifier: Apache-2.0

import MeshModel
import ProtoReflection

/// Whether the conditions of a patch hold for one candidate.
///
/// Where nobody traces, the first that fails ends the comparison and nothing is written down; where
/// somebody does, all are compared and kept.
struct Clauses {
  private(set) var hold = true
  private(set) var list: [PatchTrace.Clause]?

  init(tracing: Bool) { list = tracing ? [] : nil }

  /// Adds a condition.
  ///
  /// What it wants and what is there is only worked out for a trace.
  mutating func require(
    _ path: @autoclosure () -> FieldPath, wanted: @autoclosure () -> String,
    found: @autoclosure () -> String, hint: @autoclosure () -> String? = nil,
    _ condition: @autoclosure () -> Bool
  ) {
    guard hold || list != nil else { return }
    let isMatched = condition()
    hold = hold && isMatched
    list?.append(
      PatchTrace.Clause(
        path: path(), wanted: wanted(), actual: found(), isMatched: isMatched,
        hint: isMatched ? nil : hint()))
  }

  /// Adds a condition that one of several names is the wanted one.
  mutating func require(
    _ path: @autoclosure () -> FieldPath, _ wanted: String,
    among names: @autoclosure () -> [String],
    _ condition: @autoclosure () -> Bool
  ) {
    require(
      path(), wanted: wanted, found: names().joined(separator: ", "),
      hint: NearMiss.hint(for: wanted, among: names()), condition())
  }
}

/// What somebody who asked for a name that is not there may have meant.
enum NearMiss {
  /// The candidate that is spelt most like it, else the one whose last part is: `envoy.lua` and
  /// `envoy.filters.http.lua`.
  static func name(for wanted: String, among names: [String]) -> String? {
    if let near = NearestName.of(wanted, among: names) { return near }
    let last = lastPart(of: wanted)
    guard let near = NearestName.of(last, among: names.map(lastPart)) else { return nil }
    return names.first { lastPart(of: $0) == near }
  }

  private static func lastPart(of name: String) -> String {
    name.split(separator: ".").last.map(String.init) ?? name
  }

  static func hint(for wanted: String, among names: [String]) -> String? {
    name(for: wanted, among: names).map { "did you mean \($0)?" }
  }
}
