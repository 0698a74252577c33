// SPDX-License-Identifier: Apache-2.0

import APIServer
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
    conditions += Self.modules(rollout)
    self.conditions = conditions
  }

  /// False while it is being found out what some proxy gets.
  var isSettled: Bool { !rollout.parts.contains { $0.progress == .pending([]) } }

  /// As it is written to the object.
  var measured: MeasuredStatus {
    MeasuredStatus(
      conditions: conditions,
      proxies: MeasuredStatus.Proxies(
        total: rollout.parts.proxyCount, programmed: rollout.programmed.proxyCount,
        pending: rollout.pending.proxyCount, rejected: rollout.rejected.proxyCount))
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
        "total": .integer(rollout.parts.proxyCount),
        "programmed": .integer(rollout.programmed.proxyCount),
        "pending": .integer(rollout.pending.proxyCount),
        "rejected": .integer(rollout.rejected.proxyCount),
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
    let (count, total) = (rollout.programmed.proxyCount, rollout.parts.proxyCount)
    guard total > 0 else {
      return Condition(
        kind: .programmed, isTrue: false, reason: "NoProxies",
        message: "no connected proxy depends on it")
    }
    var message = "\(count) of \(total) proxies run it"
    if !rollout.pending.isEmpty {
      message += "; waiting for \(rollout.pending.proxyNames)"
    }
    if !rollout.rejected.isEmpty {
      message += "; rejected by \(rollout.rejected.proxyNames)"
    }
    let reason = rollout.rejected.isEmpty ? "Pending" : "Rejected"
    return Condition(
      kind: .programmed, isTrue: count == total, reason: count == total ? "Programmed" : reason,
      message: message)
  }

  private static func rejected(_ rollout: Rollout) -> Condition {
    guard let first = rollout.rejections.min(by: { $0.at < $1.at }) else {
      return Condition(
        kind: .rejected, isTrue: false, reason: "NotRejected", message: "no proxy rejects it")
    }
    let since = WallClock.text(first.at)
    let proxies = rollout.rejected.proxyNames
    return Condition(
      kind: .rejected, isTrue: true, reason: "RejectedByProxy",
      message: "\(first.reason) (\(proxies), since \(since))",
      summary: "\(first.reason) (\(proxies))")
  }

  private static func modules(_ rollout: Rollout) -> [Condition] {
    let modules = rollout.parts.flatMap { part in part.modules.map { ($0.proxy, $0.status) } }
    guard !modules.isEmpty else { return [] }
    let missing = modules.filter { $1.isDegraded }
    let ready = "\(modules.count - missing.count) of \(modules.count) modules run"
    guard let (_, worst) = missing.first(where: { !$1.error.isEmpty }) ?? missing.first else {
      return [
        Condition(kind: .moduleReady, isTrue: true, reason: "Ready", message: ready),
        Condition(
          kind: .degraded, isTrue: false, reason: "AsExpected",
          message: "every proxy runs what was asked for"),
      ]
    }
    let error = worst.error.isEmpty ? "" : ": \(worst.error)"
    let notReady = Condition(
      kind: .moduleReady, isTrue: false, reason: reason(worst.phase),
      message: "\(ready); not on \(names(missing.map(\.0)))\(error)")
    // One that is on its way may come yet.
    let without = missing.filter { $1.phase == .failed || $1.phase == .fallback }
    guard let (_, first) = without.first else {
      return [
        notReady,
        Condition(
          kind: .degraded, isTrue: false, reason: "AsExpected",
          message: "no module has failed so far"),
      ]
    }
    let cause = first.error.isEmpty ? "" : ": \(first.error)"
    return [
      notReady,
      Condition(
        kind: .degraded, isTrue: true, reason: reason(first.phase),
        message: "without the module: \(names(without.map(\.0)))\(cause)"),
    ]
  }

  private static func reason(_ phase: Skiff_Agent_V1_WasmModuleStatus.Phase) -> String {
    switch phase {
    case .failed: "Failed"
    case .fallback: "Fallback"
    default: "Fetching"
    }
  }

  private static func names(_ names: [String]) -> String {
    let unique = Set(names).sorted()
    return unique.text(of: unique.count)
  }
}

extension [String] {
  /// Names in a message; the rest is counted.
  fileprivate func text(of count: Int) -> String {
    let shown = prefix(5)
    let text = shown.joined(separator: ", ")
    return count > shown.count ? "\(text) and \(count - shown.count) more" : text
  }
}

extension [Rollout.Part] {
  fileprivate var proxyCount: Int { reduce(0) { $0 + $1.proxies.count } }

  fileprivate var proxyNames: String {
    // The first of each part are the first of all.
    let first = flatMap { $0.proxies.prefix(5).map(\.name) }.sorted()
    return first.text(of: proxyCount)
  }
}

extension Rollout {
  fileprivate var programmed: [Part] { parts.filter { $0.progress == .programmed } }

  fileprivate var pending: [Part] {
    parts.filter { if case .pending = $0.progress { true } else { false } }
  }

  fileprivate var rejected: [Part] {
    parts.filter { if case .rejected = $0.progress { true } else { false } }
  }

  fileprivate var rejections: [Rejection] {
    parts.compactMap { if case .rejected(let rejection) = $0.progress { rejection } else { nil } }
  }
}
