// SPDX-License-Identifier: Apache-2.0

package import Manifests
package import MeshModel

/// The configuration as it is now: takes the events of its sources and publishes snapshots.
///
/// It judges nothing but conflicts between sources, and it does not wait for quiet: whoever consumes
/// `changes` does. No snapshot exists before every source has listed all that it has, so that a proxy
/// that connects early is not told that its configuration is gone.
package actor ConfigStore: SnapshotSource {
  private struct SourceState {
    var objects: [ObjectRef: DecodedObject] = [:]
    /// What a listing has named so far; nil outside of one.
    var listing: [ObjectRef: DecodedObject]?
    var isListed = false
    var problems: [String: [ConfigError]] = [:]
  }

  /// An object as it is in force, and since when.
  package struct Form: Hashable, Sendable {
    package var uid: String
    package var generation: Int64
    /// Snapshots of this revision and later ones have it.
    package var since: UInt64
  }

  private let sources: [any ConfigSource]
  private var states: [String: SourceState]
  private var revision: UInt64 = 0
  private var published: MeshSnapshot?
  private var builder = SnapshotBuilder()
  /// What has changed since the last snapshot.
  private var pending: Set<ObjectRef> = []
  private var changedAt: [ObjectRef: UInt64] = [:]
  /// Of the objects that several sources have, by object.
  private var conflicts: [ObjectRef: [ConfigError]] = [:]
  private let now: @Sendable () -> Int64?
  private var consumers: [AsyncStream<Void>.Continuation] = []

  /// Makes a store.
  ///
  /// - Parameters:
  ///   - sources: with unique names; of an object that two sources have, the first counts.
  ///   - now: in seconds since the Unix epoch, to see which certificates are valid; nil sees none.
  package init(sources: [any ConfigSource], now: @escaping @Sendable () -> Int64? = { nil }) {
    self.sources = sources
    self.now = now
    states = Dictionary(uniqueKeysWithValues: sources.map { ($0.name, SourceState()) })
  }

  /// Runs all sources until the task is cancelled or one of them cannot go on.
  package func run() async throws {
    try await withThrowingTaskGroup { group in
      for source in sources {
        let name = source.name
        group.addTask {
          try await source.run { events in await self.handle(events, from: name) }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Takes a batch of events of a source at once.
  package func handle(_ events: [ConfigEvent], from source: String) {
    // Taken out, so that its objects change in place.
    guard var state = states.removeValue(forKey: source) else {
      preconditionFailure("events come only from the sources that the store was made with")
    }
    var hasChanged = false
    var changed: [ObjectRef] = []
    for event in events {
      switch event {
      case .listBegan: state.listing = [:]
      case .apply(let object):
        if state.listing != nil {
          state.listing?[object.ref] = object
        } else if state.objects.updateValue(object, forKey: object.ref) != object {
          changed.append(object.ref)
        }
      case .delete(let ref):
        if state.listing != nil {
          state.listing?[ref] = nil
        } else if state.objects.removeValue(forKey: ref) != nil {
          changed.append(ref)
        }
      case .problems(let problems, let place):
        let former = state.problems.updateValue(problems, forKey: place) ?? []
        if problems.isEmpty { state.problems[place] = nil }
        hasChanged = hasChanged || former != problems
      case .listEnded:
        if let listing = state.listing {
          changed += state.objects.keys.filter { listing[$0] == nil }
          changed += listing.filter { state.objects[$0.key] != $0.value }.keys
          hasChanged = hasChanged || !state.isListed
          state.objects = listing
          state.listing = nil
          state.isListed = true
        }
      }
    }
    states[source] = state
    for ref in changed {
      // Of what is nowhere any more nothing is kept: names come and go without end.
      let isThere = states.values.contains { $0.objects[ref] != nil }
      changedAt[ref] = isThere ? revision + 1 : nil
    }
    pending.formUnion(changed)
    if hasChanged || !changed.isEmpty { publish() }
  }

  private func publish() {
    guard isReady else { return }
    revision += 1
    published = nil
    consumers.removeAll { consumer in
      if case .terminated = consumer.yield() { true } else { false }
    }
  }

  private var isReady: Bool { states.values.allSatisfy(\.isListed) }

  package func snapshot() -> MeshSnapshot? {
    guard isReady else { return nil }
    if let published { return published }
    var changes: [ObjectRef: DecodedObject?] = [:]
    for ref in pending {
      guard sources.count > 1 else {
        changes.updateValue(states[sources[0].name]?.objects[ref], forKey: ref)
        continue
      }
      let found = sources.compactMap { states[$0.name]?.objects[ref] }
      changes.updateValue(found.first, forKey: ref)
      conflicts[ref] =
        found.count < 2
        ? nil : found.dropFirst().map { .duplicate(of: ref, at: $0.place, first: found[0].place) }
    }
    pending = []
    builder.update(changes)
    let snapshot = builder.snapshot(
      revision: revision, problems: sourceProblems() + conflicts.values.joined(), now: now())
    published = snapshot
    return snapshot
  }

  package func changes() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    consumers.append(continuation)
    return stream
  }

  /// The objects in force, by kind, namespace and name; also before the store is ready.
  package func objects() -> [DecodedObject] {
    inForce.values.sorted { $0.ref < $1.ref }
  }

  /// Every object in force, as far as it can be told from others of its name, before and after.
  package func forms() -> [ObjectRef: Form] {
    inForce.mapValues { object in
      Form(
        uid: object.meta.uid, generation: object.meta.generation,
        since: changedAt[object.ref] ?? revision)
    }
  }

  private var inForce: [ObjectRef: DecodedObject] {
    var objects: [ObjectRef: DecodedObject] = [:]
    for source in sources {
      objects.merge(states[source.name]?.objects ?? [:]) { first, _ in first }
    }
    return objects
  }

  /// All that is wrong: with files and objects, and between objects once there is a snapshot.
  package func problems() -> [ConfigError] {
    snapshot()?.problems ?? sourceProblems().sorted(by: ConfigError.precedes)
  }

  private func sourceProblems() -> [ConfigError] {
    states.values.flatMap { $0.problems.values.joined() }
  }
}

extension ConfigError {
  /// By place, then object and path: the order in which problems are shown.
  package static func precedes(_ left: ConfigError, _ right: ConfigError) -> Bool {
    func key(_ error: ConfigError) -> (String, Int, String, String, String) {
      (
        error.location?.file ?? "", error.location?.line ?? 0,
        error.object.map { "\($0)" } ?? "", "\(error.path)", error.reason
      )
    }
    return key(left) < key(right)
  }
}
