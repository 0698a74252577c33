// SPDX-License-Identifier: Apache-2.0

package import ConfigStore
import JSON
import Manifests
import MeshModel
package import ObjectStore

/// A source whose objects the API shows too, read-only: what it delivers goes on, and into the store.
///
/// An object that a client of the API made under the same name stays; when it is deleted, the file's
/// takes its place.
package struct DirectoryMirror: ConfigSource {
  package let name: String
  /// Names the file and line that an object is read from.
  package static let annotation = "skiff.dev/read-from"

  private let source: any ConfigSource
  private let state: MirrorState

  /// Mirrors a source; `now` is the time in seconds since the Unix epoch.
  package init(
    of source: any ConfigSource, in store: any Store, now: @escaping @Sendable () -> Int64
  ) {
    self.source = source
    name = source.name
    state = MirrorState(store: store, now: now)
  }

  package func run(_ deliver: @Sendable ([ConfigEvent]) async -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [state] in await state.followDeletions() }
      try await source.run { [state] events in
        await deliver(events)
        await state.take(events)
      }
      group.cancelAll()
    }
  }
}

/// What the files say, and the writes that make the store say the same.
private actor MirrorState {
  private let store: any Store
  private let now: @Sendable () -> Int64
  private let catalog = Catalog()
  private var wanted: [ObjectRef: JSONValue] = [:]
  private var listing: [ObjectRef: JSONValue]?
  private var hasListed = false

  init(store: any Store, now: @escaping @Sendable () -> Int64) {
    self.store = store
    self.now = now
  }

  func take(_ events: [ConfigEvent]) async {
    var touched: Set<ObjectRef> = []
    for event in events {
      switch event {
      case .listBegan: listing = [:]
      case .apply(let object):
        guard let resource = catalog.resource(of: object.ref.kind), !resource.isReadOnly else {
          continue
        }
        let json = shown(object, resource)
        if listing != nil {
          listing?[object.ref] = json
        } else {
          wanted[object.ref] = json
          touched.insert(object.ref)
        }
      case .delete(let ref):
        listing?[ref] = nil
        wanted[ref] = nil
        touched.insert(ref)
      case .problems: break
      case .listEnded:
        guard let listing else { continue }
        touched.formUnion(wanted.keys)
        touched.formUnion(listing.keys)
        wanted = listing
        self.listing = nil
        hasListed = true
        touched.formUnion(await mirrored())
      }
    }
    await settle(touched)
  }

  /// Brings files' objects back when the API's objects of the same name go.
  func followDeletions() async {
    let signals = await store.signals()
    var position = await store.revision()
    for await _ in signals {
      var gone: Set<ObjectRef> = []
      while true {
        do throws(StoreError) {
          let changes = try await store.changes(after: position, limit: 1000)
          guard let last = changes.last else { break }
          for change in changes where change.operation == .deleted {
            gone.insert(change.object.ref)
          }
          position = last.revision
        } catch {
          position = await store.revision()
          gone.formUnion(wanted.keys)
        }
      }
      await settle(gone.filter { wanted[$0] != nil })
    }
  }

  /// What earlier runs left in the store.
  private func mirrored() async -> [ObjectRef] {
    var refs: [ObjectRef] = []
    for resource in catalog.resources {
      let all = await store.objects(of: resource.kind, in: nil, after: nil, limit: nil)
      refs += all.objects.filter { $0.owner == .directory }.map(\.ref)
    }
    return refs
  }

  private func settle(_ refs: Set<ObjectRef>) async {
    guard hasListed else { return }
    // Few transactions, and no large one that holds up the API's own.
    let sorted = refs.sorted()
    for start in stride(from: 0, to: sorted.count, by: 200) {
      let part = sorted[start..<min(start + 200, sorted.count)]
      // Another writer in between makes a batch start over.
      while await writeAll(part) == false {}
    }
  }

  private func writeAll(_ refs: ArraySlice<ObjectRef>) async -> Bool {
    var writes: [Write] = []
    var namespaces: Set<String> = []
    for ref in refs {
      guard let write = await self.write(for: ref) else { continue }
      writes.append(write)
      if case .create = write.operation, !ref.namespace.isEmpty { namespaces.insert(ref.namespace) }
    }
    guard !writes.isEmpty else { return true }
    let writer = ObjectWriter(
      store: store, catalog: catalog, admission: Admission(reader: ManifestReader()), now: now)
    let named = Set(writes.map(\.ref))
    for namespace in namespaces.sorted() {
      writes += await writer.missingNamespace(namespace).filter { !named.contains($0.ref) }
    }
    do throws(StoreError) {
      _ = try await store.write(writes)
      return true
    } catch {
      // A store that fails tells its clients; the files are in force all the same.
      if case .failed = error { return true }
      return false
    }
  }

  private func write(for ref: ObjectRef) async -> Write? {
    let existing = await store.object(ref)
    guard existing?.owner != .api else { return nil }
    let author =
      catalog.resource(of: ref.kind)?.hasHistory == true
      ? Authorship(manager: "file", userAgent: "", time: now()) : nil
    guard var json = wanted[ref] else {
      return existing.map { Write(ref, .delete(at: $0.revision), by: author) }
    }
    guard let existing else { return Write(ref, .create(json, owner: .directory), by: author) }
    guard let resource = catalog.resource(of: ref.kind) else { return nil }
    // What was measured of it is of no file.
    if resource.isMeasured { json = json.setting("status", existing.json["status"]) }
    let generation = existing.json.metadata["generation"]?.integerValue ?? 1
    let hasChanged = json.specOnly != existing.json.specOnly
    json =
      json.settingMetadata("generation", .integer(generation + (hasChanged ? 1 : 0)))
      .settingMetadata("creationTimestamp", existing.json.metadata["creationTimestamp"]).canonical
    if hasChanged {
      json = json.withProgrammedUnknown(
        resource, at: .string(Timestamp.text(ofSeconds: now())))
    }
    let before = existing.json.settingMetadata("resourceVersion", nil).canonical
    if json == before { return nil }
    return Write(ref, .replace(json, owner: .directory, at: existing.revision), by: author)
  }

  /// An object of a file as the API shows it.
  private func shown(_ object: DecodedObject, _ resource: APIResource) -> JSONValue {
    let annotations = (object.json["metadata"]?["annotations"] ?? [:])
      .setting(DirectoryMirror.annotation, .string("\(object.place)"))
    let json = object.completeJSON
      .settingMetadata("annotations", annotations)
      .settingMetadata(
        "namespace",
        object.ref.namespace.isEmpty ? JSONValue.absent : .string(object.ref.namespace)
      )
      .settingMetadata("resourceVersion", nil)
    // What a Secret holds went away when its file was read.
    let complete = resource.kind == .secret ? json : ObjectWriter.completed(json, resource)
    let shown = complete.asVersion(resource.versions[0], of: resource).canonical
    return resource.isMeasured ? shown.setting("status", nil) : shown
  }
}
