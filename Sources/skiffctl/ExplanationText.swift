// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Translation

/// An `Explanation` for people: the verdict, then each patch with what decided it.
enum ExplanationText {
  static func text(_ explanation: Explanation, _ proxy: Proxy) -> String {
    var lines = [heading(explanation, proxy)]
    lines += explanation.problems.map { "  " + text($0, below: FieldPath()) }
    if explanation.verdict != .refused {
      lines += clauses(explanation.trace.attachment, below: FieldPath())
    }
    if let order = explanation.order { lines.append("  " + words(order)) }
    for patch in explanation.trace.patches {
      lines.append("")
      lines += self.lines(patch, of: explanation)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func heading(_ explanation: Explanation, _ proxy: Proxy) -> String {
    let object =
      explanation.location.map { "\(explanation.object) (\($0))" }
      ?? "\(explanation.object)"
    let (role, name) = (proxy.role.rawValue, proxy.name)
    return switch explanation.verdict {
    case .applied: "\(object) changes what \(role) \(name) gets."
    case .notApplied: "\(object) is meant for \(role) \(name), but changes nothing."
    case .notSelected: "\(object) is not meant for \(role) \(name)."
    case .refused: "\(object) is not in force: it has an error."
    }
  }

  private static func text(_ problem: ConfigError, below path: FieldPath) -> String {
    let field = relative(problem.path, to: path)
    let location = problem.location.map { " (\($0))" } ?? ""
    return "\(problem.severity.rawValue): "
      + (field.components.isEmpty ? "" : "\(field): ") + problem.reason + location
  }

  private static func words(_ order: Explanation.Order) -> String {
    let place = "applied as number \(order.index + 1) of \(order.count) EnvoyFilters"
    let reason =
      "priority \(order.priority), "
      + (order.isOfRootNamespace ? "root namespace" : "the proxy's namespace")
    let neighbours =
      (order.previous.map { ["after \($0.namespace)/\($0.name)"] } ?? [])
      + (order.next.map { ["before \($0.namespace)/\($0.name)"] } ?? [])
    return "\(place) (\(reason))"
      + (neighbours.isEmpty ? "" : ", " + neighbours.joined(separator: ", "))
  }

  // Patches

  private static func lines(
    _ patch: PatchTrace.Patch, of explanation: Explanation
  ) -> [String] {
    let verdict = explanation.verdict(of: patch)
    let head = "\(patch.path) \(patch.applyTo.rawValue) \(patch.operation.rawValue): "
    var lines = [head + words(verdict)]
    lines += patch.problems.map { "  " + text($0, below: patch.path) }
    if let reason = explanation.futility(of: patch) { lines.append("  \(reason)") }
    guard verdict != .notSelected else { return lines }
    lines += clauses(patch.conditions, below: patch.path)
    lines += changes(patch)
    for candidate in patch.candidates {
      if case .noEffect(let reason) = candidate.result {
        lines += ["  \(candidate.place)", "    nothing to do: \(reason)"]
      }
    }
    // Where something was changed, all the places that were not meant are no news.
    guard !patch.isApplied else { return lines }
    let missed = patch.candidates.count { $0.result == .notMatched }
    if let miss = patch.nearestMiss {
      let others = missed > 1 ? "the nearest of \(missed): " : ""
      lines.append("  \(others)\(miss.place)")
      lines += clauses(miss.clauses, below: patch.path, indent: "    ")
    }
    return lines
  }

  /// More places than this are counted, not listed.
  private static let mostPlaces = 20

  private static func changes(_ patch: PatchTrace.Patch) -> [String] {
    let changed = patch.candidates.compactMap { candidate -> [String]? in
      guard case .changed(let change) = candidate.result else { return nil }
      return ["  \(candidate.place)", "    \(ChangeWords.text(change))"]
    }
    let more = changed.count - mostPlaces
    return changed.prefix(mostPlaces).flatMap(\.self)
      + (more > 0 ? ["  … and \(more) more places"] : [])
  }

  private static func words(_ verdict: Explanation.PatchVerdict) -> String {
    switch verdict {
    case .applied: "applied"
    case .failed: "skipped, it has an error"
    case .notForThisProxy: "not for this proxy"
    case .noCandidate: "not applied, the proxy has nothing of the kind"
    case .notMatched: "not applied, nothing matches"
    case .noEffect: "no effect"
    case .notSelected: "not looked at"
    }
  }

  // Clauses

  /// One line each, up to the first that failed.
  private static func clauses(
    _ clauses: [PatchTrace.Clause], below path: FieldPath, indent: String = "  "
  ) -> [String] {
    let end = clauses.firstIndex { !$0.isMatched }.map { $0 + 1 } ?? clauses.count
    return clauses[..<end].map { clause in
      let field = relative(clause.path, to: path)
      guard !clause.isMatched else { return "\(indent)holds  \(field): \(clause.wanted)" }
      let actual = clause.actual.isEmpty ? "nothing" : clause.actual
      let hint = clause.hint.map { "; \($0)" } ?? ""
      return "\(indent)fails  \(field): wanted \(clause.wanted), found \(actual)\(hint)"
    }
  }

  private static func relative(_ path: FieldPath, to base: FieldPath) -> FieldPath {
    path.components.starts(with: base.components)
      ? FieldPath(Array(path.components.dropFirst(base.components.count))) : path
  }
}

/// What a patch did, in a few words: `inserted lua before envoy.filters.http.router, now 3 of 4`.
enum ChangeWords {
  static func text(_ change: PatchTrace.Change) -> String {
    let what = [change.verb.rawValue, change.element, change.reason].filter { !$0.isEmpty }
    return what.joined(separator: " ") + place(of: change)
  }

  private static func place(of change: PatchTrace.Change) -> String {
    guard change.verb != .removed, let position = change.position else { return "" }
    guard let final = change.finalPosition else { return ", and later removed" }
    let then = position == final ? "" : " (was \(position.index + 1) of \(position.count) then)"
    return ", now \(final.index + 1) of \(final.count)\(then)"
  }
}
