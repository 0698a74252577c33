// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import JSON
import MeshModel
import XDS
import XDSServer

/// What really became of an object: whether it is valid, and which proxies run it.
///
/// Measured, not assumed: `Programmed` counts acknowledgements of the very bytes that the object has a
/// part in, and `Rejected` holds Envoy's own words.
struct ObjectStatus: Sendable {
  let object: ObjectRef
  /// In the configuration that is being served; nil where it does not have the object.
  let generation: Int64?
  let conditions: [Condition]
  let problems: [ConfigError]
  private let rollout: Rollout

  /// Names in a message; the rest is counted.
  private static let shownNames = 5

  /// Puts together what is known of an object.
  ///
  /// - Parameters:
  ///   - rollout: how far it has come.
  ///   - problems: of this object, in force.
  init(_ rollout: Rollout, problems: [ConfigError]) {
    object = rollout.object
    generation = rollout.generation
    self.problems = problems
    self.rollout = rollout
    var conditions = [
      Self.accepted(rollout, problems), Self.programmed(rollout), Self.rejected(rollout),
    ]
    if let moduleReady = Self.moduleReady(rollout) { conditions.append(moduleReady) }
    self.conditions = conditions
  }

  func isTrue(_ kind: Condition.Kind) -> Bool {
    conditions.contains { $0.kind == kind && $0.isTrue }
  }

  /// `{kind, namespace, name, observedGeneration, proxies: {total, programmed, pending, rejected},
  /// conditions: […]}`.
  var json: JSONValue {
    [
      "kind": .string(object.kind.kind), "namespace": .string(object.namespace),
      "name": .string(object.name),
      "observedGeneration": generation.map(JSONValue.integer) ?? .null,
      "proxies": [
        "total": .integer(rollout.parts.count), "programmed": .integer(rollout.programmed.count),
        "pending": .integer(rollout.pending.count), "rejected": .integer(rollout.rejections.count),
      ],
      "conditions": .array(conditions.map { $0.json(observedGeneration: generation ?? 0) }),
    ]
  }

  private static func accepted(_ rollout: Rollout, _ problems: [ConfigError]) -> Condition {
    let errors = problems.filter { $0.severity == .error }
    if !errors.isEmpty {
      return Condition(
        kind: .accepted, isTrue: false, reason: "Invalid",
        message: errors.map(\.description).joined(separator: "; "))
    }
    guard rollout.generation != nil else {
      return Condition(
        kind: .accepted, isTrue: false, reason: "NotServed",
        message: "not in the configuration that is being served")
    }
    return Condition(
      kind: .accepted, isTrue: true, reason: problems.isEmpty ? "Valid" : "ValidWithWarnings",
      message: problems.map(\.description).joined(separator: "; "))
  }

  private static func programmed(_ rollout: Rollout) -> Condition {
    let (count, total) = (rollout.programmed.count, rollout.parts.count)
    guard total > 0 else {
      return Condition(
        kind: .programmed, isTrue: false, reason: "NoProxies",
        message: "no connected proxy depends on it")
    }
    var message = "\(count) of \(total) proxies run it"
    if !rollout.pending.isEmpty {
      message += "; waiting for \(names(rollout.pending.map(\.proxy)))"
    }
    if !rollout.rejections.isEmpty {
      message += "; rejected by \(names(rollout.rejections.map(\.part.proxy)))"
    }
    let reason = rollout.rejections.isEmpty ? "Pending" : "Rejected"
    return Condition(
      kind: .programmed, isTrue: count == total, reason: count == total ? "Programmed" : reason,
      message: message)
  }

  private static func rejected(_ rollout: Rollout) -> Condition {
    guard let first = rollout.rejections.min(by: { $0.rejection.at < $1.rejection.at }) else {
      return Condition(
        kind: .rejected, isTrue: false, reason: "NotRejected", message: "no proxy rejects it")
    }
    let since = WallClock.text(first.rejection.at)
    let proxies = names(rollout.rejections.map(\.part.proxy))
    return Condition(
      kind: .rejected, isTrue: true, reason: "RejectedByProxy",
      message: "\(first.rejection.reason) (\(proxies), since \(since))")
  }

  private static func moduleReady(_ rollout: Rollout) -> Condition? {
    let modules = rollout.parts.flatMap { part in part.modules.map { (part.proxy, $0) } }
    guard !modules.isEmpty else { return nil }
    let missing = modules.filter { $1.phase != .ready }
    guard let (_, worst) = missing.first(where: { !$1.error.isEmpty }) ?? missing.first else {
      return Condition(
        kind: .moduleReady, isTrue: true, reason: "Ready",
        message: "\(modules.count) of \(modules.count) modules run")
    }
    let reason =
      switch worst.phase {
      case .failed: "Failed"
      case .fallback: "Fallback"
      default: "Fetching"
      }
    let error = worst.error.isEmpty ? "" : ": \(worst.error)"
    return Condition(
      kind: .moduleReady, isTrue: false, reason: reason,
      message: "\(modules.count - missing.count) of \(modules.count) modules run; not on "
        + names(missing.map(\.0)) + error)
  }

  private static func names(_ names: [String]) -> String {
    let unique = Set(names).sorted()
    let shown = unique.prefix(shownNames).joined(separator: ", ")
    return unique.count > shownNames ? "\(shown) and \(unique.count - shownNames) more" : shown
  }
}

extension Rollout {
  var programmed: [Part] { parts.filter { $0.progress == .programmed } }

  var pending: [Part] { parts.filter { if case .pending = $0.progress { true } else { false } } }

  var rejections: [(part: Part, rejection: Rejection)] {
    parts.compactMap { part in
      if case .rejected(let rejection) = part.progress { (part, rejection) } else { nil }
    }
  }
}
