// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// The generations of all objects whose writers have names: planned beside a write, made durable with
/// it, and taken after it.
///
/// Invariants: the records of a name are sorted by number; only the last one may be `current`; `queue`
/// holds the keys of all others in the order in which they were closed, and may hold some that are gone.
struct History: Sendable {
  private var records: [ObjectRef: [HistoryRecord]] = [:]
  private var queue: [HistoryKey] = []
  /// What is before it in the queue is gone.
  private var head = 0
  private var bytes = 0
  let limits: HistoryLimits

  init(limits: HistoryLimits) { self.limits = limits }

  /// What was kept elsewhere, in any order.
  init(_ kept: [(HistoryKey, HistoryRecord)], limits: HistoryLimits) {
    self.limits = limits
    for (key, record) in kept.sorted(by: { $0.0.number < $1.0.number }) {
      records[key.ref, default: []].append(record)
    }
    let past = kept.filter { $0.1.bytes != nil }
    queue = past.sorted { ($0.1.closed, $0.0.ref) < ($1.1.closed, $1.0.ref) }.map(\.0)
    bytes = past.reduce(0) { $0 + ($1.1.bytes ?? 0) }
  }

  /// The entries of a namespace, or of everything, sorted by object and number.
  func entries(in namespace: String?, object: (ObjectRef) -> StoredObject?) -> [HistoryEntry] {
    records.filter { namespace == nil || $0.key.namespace == namespace }
      .sorted { $0.key < $1.key }
      .flatMap { ref, records in entries(ref, records, object) }
  }

  private func entries(
    _ ref: ObjectRef, _ records: [HistoryRecord], _ object: (ObjectRef) -> StoredObject?
  ) -> [HistoryEntry] {
    records.compactMap { record in
      let state: HistoryEntry.State
      switch record.state {
      case .current:
        guard let object = object(ref) else { return nil }
        state = .current(object)
      case .former(let text, _): state = .former(text)
      case .deletion: state = .deletion
      }
      return HistoryEntry(
        ref: ref, number: record.number, revision: record.revision, author: record.author,
        state: state)
    }
  }

  /// What some changes add, and what has to go for it.
  ///
  /// - Parameters:
  ///   - changes: of different objects.
  ///   - writes: what they were made of, in the same order.
  /// - Returns: what to make durable with the changes, and to take then.
  func plan(_ changes: [Change], _ writes: [Write]) -> [HistoryStep] {
    var steps: [HistoryStep] = []
    var added = 0
    var dropped: Set<HistoryKey> = []
    for (change, write) in zip(changes, writes) {
      guard let author = write.author, change.changesGeneration else { continue }
      let kept = records[change.object.ref] ?? []
      var new: [HistoryRecord] = []
      if let before = change.previous { new.append(Self.closing(kept.last, before, change)) }
      let last = new.last?.number ?? kept.last?.number ?? 0
      new.append(
        HistoryRecord(
          number: last + 1, revision: change.revision, author: author,
          state: change.operation == .deleted ? .deletion : .current))
      steps += new.map { .put(HistoryKey(ref: change.object.ref, number: $0.number), $0) }
      added += new.reduce(0) { $0 + ($1.bytes ?? 0) }
      let first = (new.last?.number ?? 0) - Int64(limits.entries)
      for old in kept where old.number <= first {
        dropped.insert(HistoryKey(ref: change.object.ref, number: old.number))
        added -= old.bytes ?? 0
      }
    }
    var excess = bytes + added - limits.bytes
    for key in queue[head...] {
      guard excess > 0 else { break }
      guard let record = record(key), !dropped.contains(key) else { continue }
      dropped.insert(key)
      excess -= record.bytes ?? 0
    }
    return steps
      + dropped.sorted { ($0.ref, $0.number) < ($1.ref, $1.number) }.map(HistoryStep.drop)
  }

  /// The record of what an object was until a change.
  private static func closing(
    _ last: HistoryRecord?, _ before: StoredObject, _ change: Change
  ) -> HistoryRecord {
    let state = HistoryRecord.State.former(
      before.json.withoutManagers.text(), closed: change.revision)
    if let last, last.state == .current {
      return HistoryRecord(
        number: last.number, revision: last.revision, author: last.author, state: state)
    }
    // It is older than the history.
    return HistoryRecord(
      number: (last?.number ?? 0) + 1, revision: before.revision, author: .unknown, state: state)
  }

  /// Takes what `plan` made of this very history.
  mutating func take(_ steps: [HistoryStep]) {
    for step in steps {
      switch step {
      case .put(let key, let record): put(key, record)
      case .drop(let key):
        guard let index = index(key) else { continue }
        bytes -= records[key.ref]?[index].bytes ?? 0
        records[key.ref]?.remove(at: index)
        if records[key.ref]?.isEmpty ?? false { records[key.ref] = nil }
      }
    }
    while head < queue.count, record(queue[head]) == nil { head += 1 }
    if head > queue.count / 2 {
      queue.removeFirst(head)
      head = 0
    }
  }

  private mutating func put(_ key: HistoryKey, _ record: HistoryRecord) {
    bytes += record.bytes ?? 0
    if record.bytes != nil { queue.append(key) }
    if let index = index(key) {
      bytes -= records[key.ref]?[index].bytes ?? 0
      records[key.ref]?[index] = record
    } else {
      records[key.ref, default: []].append(record)
    }
  }

  private func record(_ key: HistoryKey) -> HistoryRecord? {
    index(key).flatMap { records[key.ref]?[$0] }
  }

  private func index(_ key: HistoryKey) -> Int? {
    records[key.ref]?.firstIndex { $0.number == key.number }
  }
}

extension Change {
  /// Whether what the author wants is another than before.
  fileprivate var changesGeneration: Bool {
    guard operation == .modified, let previous else { return true }
    return previous.json["metadata"]?["generation"] != object.json["metadata"]?["generation"]
  }
}

extension JSONValue {
  /// Without `metadata.managedFields`, which are longer than what they are about and mean nothing once
  /// somebody else has written.
  fileprivate var withoutManagers: JSONValue {
    guard case .object(var members) = self, var metadata = members["metadata"]?.objectMembers
    else { return self }
    metadata["managedFields"] = nil
    members["metadata"] = .object(metadata)
    return .object(members)
  }
}
