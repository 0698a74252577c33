// SPDX-License-Identifier: Apache-2.0

package import ConfigStore
import JSON
package import Manifests
import MeshModel
package import ObjectStore

/// The objects of the API as a source of configuration.
///
/// It follows the log of the store, and lists again where the log has gone on without it.
package struct StoreSource: ConfigSource {
  package let name = Admission.place
  private let store: any Store
  /// The kinds that may be configuration.
  private let resources: [ObjectKind: APIResource]
  private let reader: ManifestReader

  package init(store: any Store, reader: ManifestReader) {
    self.store = store
    self.reader = reader
    let resources = Catalog().resources.filter { !$0.isReadOnly && $0.kind != .event }
    self.resources = Dictionary(uniqueKeysWithValues: resources.map { ($0.kind, $0) })
  }

  package func run(_ deliver: @Sendable ([ConfigEvent]) async -> Void) async throws {
    let signals = await store.signals()
    var position = await list(deliver)
    for await _ in signals {
      do throws(StoreError) {
        position = try await follow(from: position, deliver)
      } catch {
        position = await list(deliver)
      }
    }
  }

  private func list(_ deliver: @Sendable ([ConfigEvent]) async -> Void) async -> Revision {
    // What changes while kinds are listed is told again by the log.
    let position = await store.revision()
    var events: [ConfigEvent] = [.listBegan]
    for kind in resources.keys {
      let listing = await store.objects(of: kind, in: nil, after: nil, limit: nil)
      for object in listing.objects where object.owner == .api { events += self.events(object) }
    }
    events.append(.listEnded)
    await deliver(events)
    return position
  }

  private func follow(
    from position: Revision, _ deliver: @Sendable ([ConfigEvent]) async -> Void
  ) async throws(StoreError) -> Revision {
    var position = position
    while true {
      let changes = try await store.changes(after: position, limit: 1000)
      guard let last = changes.last else { return position }
      var events: [ConfigEvent] = []
      for change in changes where change.object.owner == .api && isConfiguration(change) {
        if change.operation == .deleted {
          events.append(.delete(change.object.ref))
          events.append(.problems([], of: place(change.object.ref)))
        } else {
          events += self.events(change.object)
        }
      }
      if !events.isEmpty { await deliver(events) }
      position = last.revision
    }
  }

  /// Whether a change may mean anything to proxies: not what happened to an object, nor how it fares.
  private func isConfiguration(_ change: Change) -> Bool {
    guard let resource = resources[change.object.ref.kind] else { return false }
    guard resource.isMeasured, change.operation == .modified, let previous = change.previous else {
      return true
    }
    return previous.json.withoutStatus != change.object.json.withoutStatus
  }

  /// An object is decoded as it was when it was admitted; one of an earlier version of the program may
  /// be refused now.
  private func events(_ object: StoredObject) -> [ConfigEvent] {
    let isMeasured = resources[object.ref.kind]?.isMeasured ?? false
    let json = isMeasured ? object.json.setting("status", nil) : object.json
    let reading = reader.read(object: json, place: Admission.place)
    let problems = ConfigEvent.problems(reading.problems, of: place(object.ref))
    guard var decoded = reading.objects.first else { return [.delete(object.ref), problems] }
    decoded.meta.uid = object.json.uid
    decoded.meta.generation = object.json.metadata["generation"]?.integerValue ?? 1
    decoded.meta.resourceVersion = "\(object.revision)"
    return [.apply(decoded), problems]
  }

  private func place(_ ref: ObjectRef) -> String { "\(Admission.place): \(ref.kind) \(ref)" }
}
