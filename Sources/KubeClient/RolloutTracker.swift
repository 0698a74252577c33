// SPDX-License-Identifier: Apache-2.0

import JSON

/// Objects on their way to the proxies, as a value: news in, lines for people out.
package struct RolloutTracker: Sendable {
  private let keys: [ObjectKey]
  private var stages: [ObjectKey: RolloutStage]
  /// Objects that were refused or rejected at some time.
  package private(set) var failed: Set<ObjectKey> = []

  /// Objects that are waited for, in the order in which they are told.
  package init(_ keys: [ObjectKey]) {
    self.keys = keys
    stages = [:]
  }

  /// Takes what a watch tells of the objects of a kind.
  ///
  /// - Returns: what has to be told at once: rejections in Envoy's words.
  package mutating func take(_ news: ObjectNews, of kind: ServedKind) -> [String] {
    switch news {
    case .state(let objects): objects.flatMap { take($0, of: kind) }
    case .changed(let object): take(object, of: kind)
    case .deleted(let object): set(.deleted, ObjectKey(kind, of: object))
    }
  }

  private mutating func take(_ object: JSONValue, of kind: ServedKind) -> [String] {
    set(RolloutStage(of: object), ObjectKey(kind, of: object))
  }

  private mutating func set(_ stage: RolloutStage, _ key: ObjectKey) -> [String] {
    guard keys.contains(key), stages[key] != stage else { return [] }
    stages[key] = stage
    switch stage {
    case .rejected(let reason):
      failed.insert(key)
      return ["\(key.label) rejected: \(reason)"]
    case .refused(let reason):
      failed.insert(key)
      return ["\(key.label) refused: \(reason)"]
    case .deleted:
      failed.insert(key)
      return ["\(key.label) deleted by another"]
    case .unknown, .pending, .programmed, .unused: return []
    }
  }

  package func stage(of key: ObjectKey) -> RolloutStage { stages[key] ?? .unknown }

  package var isSettled: Bool { keys.allSatisfy { stage(of: $0).isSettled } }

  /// `programmed 7/12 …` of one object; of several how many have arrived, and who is on the way.
  package var line: String {
    guard keys.count != 1 else {
      let fraction = stage(of: keys[0]).fraction
      return fraction.isEmpty ? "waiting for skiffd …" : "programmed \(fraction) …"
    }
    let settled = keys.count { stage(of: $0).isSettled }
    let moving = keys.filter { !stage(of: $0).isSettled }.map { key in
      let fraction = stage(of: key).fraction
      return fraction.isEmpty ? key.label : "\(key.label) \(fraction)"
    }
    let shown = moving.prefix(3).joined(separator: ", ")
    let more = moving.count > 3 ? " and \(moving.count - 3) more" : ""
    return "programmed \(settled)/\(keys.count) objects"
      + (moving.isEmpty ? "" : ": \(shown)\(more)")
      + " …"
  }

  /// What became of each, when it is over; what was rejected has been told.
  package var summary: [String] {
    keys.compactMap { key in
      switch stage(of: key) {
      case .programmed: "\(key.label) programmed \(stage(of: key).fraction)"
      case .unused: "\(key.label) programmed 0/0, no connected proxy depends on it"
      case .unknown, .pending, .rejected, .refused, .deleted: nil
      }
    }
  }

  /// Who is still on the way, when the time is over.
  package var overdue: [String] {
    keys.compactMap { key in
      switch stage(of: key) {
      case .unknown: "\(key.label) has no status yet"
      case .pending: "\(key.label) is programmed \(stage(of: key).fraction)"
      case .programmed, .unused, .rejected, .refused, .deleted: nil
      }
    }
  }
}
