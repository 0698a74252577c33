// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The objects and the log as a value: what all stores that live in one process share.
///
/// Invariants: the log's revisions are consecutive and end with `revision`; the objects of a kind are
/// sorted.
struct StoreState: Sendable {
  private(set) var revision: Revision
  /// The log holds everything after this.
  private(set) var compactedThrough: Revision
  private var objectsByKind: [ObjectKind: [StoredObject]] = [:]
  private var log: [Change] = []
  private var logBytes = 0
  let limits: LogLimits

  /// Kubernetes gives 0 a meaning of its own, so that counting begins behind it.
  init(limits: LogLimits) {
    self.limits = limits
    revision = Revision(1)
    compactedThrough = Revision(1)
  }

  /// What was kept elsewhere: objects in any order, and the log, consecutive up to the revision.
  init(objects: [StoredObject], changes: [Change], revision: Revision, limits: LogLimits) {
    self.limits = limits
    self.revision = revision
    compactedThrough = Revision(revision.number - UInt64(changes.count))
    objectsByKind = Dictionary(grouping: objects, by: \.ref.kind)
      .mapValues { $0.sorted { $0.ref < $1.ref } }
    log = changes
    logBytes = changes.reduce(0) { $0 + $1.bytes }
  }

  func object(_ ref: ObjectRef) -> StoredObject? {
    guard let objects = objectsByKind[ref.kind] else { return nil }
    let index = objects.firstIndex(notBefore: ref)
    return index < objects.count && objects[index].ref == ref ? objects[index] : nil
  }

  func objects(
    of kind: ObjectKind, in namespace: String?, after: ObjectRef?, limit: Int?
  ) -> Listing {
    let all = objectsByKind[kind] ?? []
    var range = all[...]
    if let namespace {
      let first = ObjectRef(kind: kind, namespace: namespace, name: "")
      // No name of a namespace holds a NUL, so this is the first one behind it.
      let end = ObjectRef(kind: kind, namespace: namespace + "\0", name: "")
      range = all[all.firstIndex(notBefore: first)..<all.firstIndex(notBefore: end)]
    }
    if let after {
      var index = all.firstIndex(notBefore: after)
      if index < all.count, all[index].ref == after { index += 1 }
      range = range[min(max(range.startIndex, index), range.endIndex)...]
    }
    let page = range.prefix(limit ?? range.count)
    return Listing(
      objects: Array(page), revision: revision, remaining: range.count - page.count)
  }

  /// What the writes would do, one change each.
  func plan(_ writes: [Write]) throws(StoreError) -> [Change] {
    var changes: [Change] = []
    var revision = self.revision
    for write in writes {
      let existing = object(write.ref)
      revision = revision.next
      switch write.operation {
      case .create(let json, let owner):
        guard existing == nil else { throw .exists(write.ref) }
        let object = StoredObject(ref: write.ref, owner: owner, revision: revision, json: json)
        changes.append(Change(operation: .added, object: object, previous: nil))
      case .replace(let json, let owner, let expected):
        let existing = try found(existing, write.ref, at: expected)
        let object = StoredObject(ref: write.ref, owner: owner, revision: revision, json: json)
        changes.append(Change(operation: .modified, object: object, previous: existing))
      case .delete(let expected):
        let existing = try found(existing, write.ref, at: expected)
        let object = StoredObject(
          ref: write.ref, owner: existing.owner, revision: revision, json: existing.json)
        changes.append(Change(operation: .deleted, object: object, previous: existing))
      }
    }
    return changes
  }

  private func found(
    _ existing: StoredObject?, _ ref: ObjectRef, at expected: Revision
  ) throws(StoreError) -> StoredObject {
    guard let existing else { throw .missing(ref) }
    guard existing.revision == expected else { throw .conflict(ref, found: existing.revision) }
    return existing
  }

  /// The revision up to which the log will be cut off when it takes these changes; nil where it will
  /// not.
  func compaction(with changes: [Change]) -> Revision? {
    let count = log.count + changes.count
    let bytes = changes.reduce(logBytes) { $0 + $1.bytes }
    // A quarter more than the limit, so that the log is not moved with every change.
    guard count > limits.changes + limits.changes / 4 || bytes > limits.bytes else { return nil }
    func size(at index: Int) -> Int {
      index < log.count ? log[index].bytes : changes[index - log.count].bytes
    }
    var cut = max(0, count - limits.changes)
    var rest = (0..<cut).reduce(bytes) { $0 - size(at: $1) }
    while rest > limits.bytes / 4 * 3, cut < count - 1 {
      rest -= size(at: cut)
      cut += 1
    }
    return Revision(compactedThrough.number + UInt64(cut))
  }

  /// Takes what `plan` made of this very state, in place: a copy would copy every object.
  mutating func take(_ changes: [Change]) {
    let compaction = compaction(with: changes)
    for change in changes {
      let ref = change.object.ref
      let index = objectsByKind[ref.kind, default: []].firstIndex(notBefore: ref)
      switch change.operation {
      case .added: objectsByKind[ref.kind, default: []].insert(change.object, at: index)
      case .modified: objectsByKind[ref.kind, default: []][index] = change.object
      case .deleted: objectsByKind[ref.kind, default: []].remove(at: index)
      }
      revision = change.revision
      logBytes += change.bytes
    }
    log += changes
    guard let compaction else { return }
    let gone = Int(compaction.number - compactedThrough.number)
    logBytes -= log[..<gone].reduce(0) { $0 + $1.bytes }
    log.removeFirst(gone)
    compactedThrough = compaction
  }

  func changes(after: Revision, limit: Int) throws(StoreError) -> [Change] {
    guard after >= compactedThrough else { throw .compacted(through: compactedThrough) }
    guard after < revision else { return [] }
    let first = Int(after.number - compactedThrough.number)
    return Array(log[first...].prefix(limit))
  }
}

extension [StoredObject] {
  /// The first place whose object does not come before `ref`.
  fileprivate func firstIndex(notBefore ref: ObjectRef) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].ref < ref { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
