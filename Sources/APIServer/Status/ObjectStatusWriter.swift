// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel
package import ObjectStore

/// Writes to objects what was measured of them, and tells of what changed by events.
///
/// Nothing is written that is written already. What somebody waits for goes at once; what only counts,
/// and what may pass by itself, such as a proxy that has just come and has not answered yet, must last.
package actor ObjectStatusWriter {
  /// What a call has done.
  package struct Outcome: Hashable, Sendable {
    /// Objects whose status was written.
    package var statuses = 0
    package var events = 0
    /// When something that must last will have lasted; nil where nothing is put off.
    package var due: ContinuousClock.Instant?

    package init(statuses: Int = 0, events: Int = 0, due: ContinuousClock.Instant? = nil) {
      self.statuses = statuses
      self.events = events
      self.due = due
    }
  }

  /// One object, and how it gets the status that it should have.
  private struct Change {
    var subject: StatusSubject
    var measured: MeasuredStatus
    var status: JSONValue
    /// Made once, when it is time to write.
    var write: Write?
    var transitions: [StatusMembers.Transition]
  }

  /// How long a difference must last that nobody waits for.
  package static let patience = Duration.seconds(1)
  /// Objects in a transaction: few transactions, and no large one that holds up the API's own.
  private static let batch = 200

  private let store: any Store
  private let catalog = Catalog()
  private let now: @Sendable () -> Int64
  private var budget = EventBudget()
  /// What is known to be written: not looked at again until one of both changes.
  private var settled: [ObjectRef: (revision: Revision, measured: MeasuredStatus)] = [:]
  private var differentSince: [ObjectRef: ContinuousClock.Instant] = [:]
  private var newestOwn = Revision(0)
  private var ownedByKinds: [[String]: FieldSet] = [:]

  /// Makes a writer; `now` is the time in seconds since the Unix epoch.
  package init(store: any Store, now: @escaping @Sendable () -> Int64) {
    self.store = store
    self.now = now
  }

  /// The objects that have a status, in the order of kind, namespace and name.
  package func subjects() async -> [StatusSubject] {
    var subjects: [StatusSubject] = []
    for resource in catalog.resources where resource.isMeasured {
      let all = await store.objects(of: resource.kind, in: nil, after: nil, limit: nil)
      subjects += all.objects.map { StatusSubject(stored: $0, resource: resource) }
    }
    if settled.count + differentSince.count > subjects.count {
      let refs = Set(subjects.map(\.ref))
      settled = settled.filter { refs.contains($0.key) }
      differentSince = differentSince.filter { refs.contains($0.key) }
    }
    return subjects
  }

  /// Whether a revision is of this writer's making, so that nobody else has written since.
  package func isOwn(_ revision: Revision) -> Bool { revision == newestOwn }

  /// Writes what differs from what is stored.
  ///
  /// - Parameters:
  ///   - measured: of objects that are stored as they were measured. One that another has changed
  ///     meanwhile is left for the next call.
  ///   - instant: the time.
  /// - Returns: what was written, and when to call again.
  package func write(
    _ measured: [(subject: StatusSubject, status: MeasuredStatus)],
    at instant: ContinuousClock.Instant
  ) async -> Outcome {
    var outcome = Outcome()
    var changes: [Change] = []
    for (subject, status) in measured {
      guard let change = change(of: subject, to: status) else { continue }
      if !Self.isUrgent(change) {
        let since = differentSince[subject.ref] ?? instant
        differentSince[subject.ref] = since
        let due = since + Self.patience
        guard due <= instant else {
          outcome.due = min(outcome.due ?? due, due)
          continue
        }
      }
      changes.append(change)
    }
    for start in stride(from: 0, to: changes.count, by: Self.batch) where !Task.isCancelled {
      let part = Array(changes[start..<min(start + Self.batch, changes.count)])
      let (statuses, events) = await write(part, at: instant)
      outcome.statuses += statuses
      outcome.events += events
    }
    return outcome
  }

  /// Deletes events that happened last an hour ago or earlier, whoever wrote them, as Kubernetes does.
  ///
  /// - Returns: how many.
  package func expireEvents() async -> Int {
    let limit = now() - TransitionEvent.life
    let all = await store.objects(of: .event, in: nil, after: nil, limit: nil)
    let old = all.objects.filter { object in
      let times =
        ["lastTimestamp", "eventTime"].map { object.json[$0]?.stringValue }
        + [object.json.metadata["creationTimestamp"]?.stringValue]
      let last = times.compactMap { $0.flatMap(Timestamp.seconds) }.first
      return object.owner == .api && last.map { $0 <= limit } ?? false
    }
    var deleted = 0
    for start in stride(from: 0, to: old.count, by: Self.batch) {
      let part = old[start..<min(start + Self.batch, old.count)]
      let writes = part.map { Write($0.ref, .delete(at: $0.revision)) }
      // One that has just happened again makes its batch wait for the next time.
      guard let gone = try? await store.write(writes) else { continue }
      newestOwn = gone.last?.revision ?? newestOwn
      deleted += gone.count
    }
    return deleted
  }

  /// What has to be written of an object; nil where it is.
  private func change(of subject: StatusSubject, to measured: MeasuredStatus) -> Change? {
    let ref = subject.ref
    if let known = settled[ref], known.revision == subject.stored.revision,
      known.measured == measured
    {
      differentSince[ref] = nil
      return nil
    }
    let members = StatusMembers(of: subject.stored.json)
    let status = members.taking(
      measured, generation: subject.generation, at: Timestamp.text(ofSeconds: now()))
    guard status != members.status.canonical else {
      settled[ref] = (subject.stored.revision, measured)
      differentSince[ref] = nil
      return nil
    }
    return Change(
      subject: subject, measured: measured, status: status,
      transitions: members.transitions(to: measured))
  }

  /// Whether somebody waits for it: success after anything else, and what was certain and is not so
  /// any more, but for proxies that have yet to answer or are not there.
  private static func isUrgent(_ change: Change) -> Bool {
    change.transitions.contains { transition in
      guard transition.isFlip else { return false }
      switch transition.condition.kind {
      case .programmed: return transition.condition.isTrue
      case .rejected: return transition.condition.isTrue || transition.former != nil
      case .accepted, .moduleReady, .degraded: return transition.former != nil
      }
    }
  }

  /// Writes a batch, without those that another has changed.
  private func write(
    _ changes: [Change], at instant: ContinuousClock.Instant
  ) async -> (statuses: Int, events: Int) {
    var changes = changes.map { change in
      var change = change
      change.write = write(change.status, to: change.subject)
      return change
    }
    let news = changes.flatMap { change in
      change.transitions.compactMap { TransitionEvent($0, of: change.subject) }
    }
    let ordered = news.filter(\.isWarning) + news.filter { !$0.isWarning }
    let told = ordered.prefix(budget.take(news.count, at: instant))
    while !changes.isEmpty {
      let refs = Set(changes.map(\.subject.ref))
      let events = await writes(of: told.filter { refs.contains($0.subject.ref) })
      do throws(StoreError) {
        let written = try await store.write(changes.compactMap(\.write) + events)
        newestOwn = written.last?.revision ?? newestOwn
        for (change, object) in zip(changes, written) {
          settled[change.subject.ref] = (object.revision, change.measured)
          differentSince[change.subject.ref] = nil
        }
        return (changes.count, events.count)
      } catch {
        switch error {
        case .conflict, .missing, .exists:
          // An event is read again; an object is measured again, as the store tells of its change.
          changes = await unchanged(changes)
        case .compacted, .failed: return (0, 0)
        }
      }
    }
    return (0, 0)
  }

  /// Those whose objects are stored as they were measured.
  private func unchanged(_ changes: [Change]) async -> [Change] {
    var unchanged: [Change] = []
    for change in changes {
      let stored = await store.object(change.subject.ref)
      if stored?.revision == change.subject.stored.revision { unchanged.append(change) }
    }
    return unchanged
  }

  private func write(_ status: JSONValue, to subject: StatusSubject) -> Write {
    var object = subject.stored.json.setting("status", status)
    if subject.owner == .api {
      let fields = owned(status, subject.resource)
      var managed = ManagedFields(object)
      for index in managed.entries.indices { managed.entries[index].fields.subtract(fields) }
      managed.entries.removeAll { $0.fields.isEmpty }
      managed.entries.append(
        ManagedFields.Entry(
          manager: TransitionEvent.source, operation: .update,
          apiVersion: subject.resource.apiVersion(subject.resource.versions[0]),
          time: Timestamp.text(ofSeconds: now()), subresource: "status", fields: fields))
      object = object.settingMetadata("managedFields", managed.json)
    }
    return Write(
      subject.ref, .replace(object.canonical, owner: subject.owner, at: subject.stored.revision))
  }

  /// What this writer owns of a status, which is much the same for all objects.
  private func owned(_ status: JSONValue, _ resource: APIResource) -> FieldSet {
    let own = StatusMembers.own(of: status)
    let kinds = own["conditions"]?.arrayElements?.map { $0["type"]?.stringValue ?? "" } ?? []
    if let known = ownedByKinds[kinds] { return known }
    let fields = FieldSet(of: ["status": own], resource)
    ownedByKinds[kinds] = fields
    return fields
  }

  /// Each event once.
  private func writes(of events: [TransitionEvent]) async -> [Write] {
    guard let resource = catalog.resource(of: .event) else { return [] }
    let time = JSONValue.string(Timestamp.text(ofSeconds: now()))
    var seen: Set<ObjectRef> = []
    var writes: [Write] = []
    for event in events {
      let ref = event.ref
      guard seen.insert(ref).inserted else { continue }
      writes.append(event.write(over: await store.object(ref), at: time, resource))
    }
    return writes
  }
}
