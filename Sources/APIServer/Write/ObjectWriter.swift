// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import Manifests
import MeshModel
import ObjectStore

/// Turns what clients ask for into writes of the store: identity, versions, ownership, admission.
///
/// A writer that did not say which revision it had seen is tried again when another came between, as
/// in Kubernetes; one that did gets 409.
struct ObjectWriter: Sendable {
  let store: any Store
  let catalog: Catalog
  let admission: Admission
  /// Seconds since the Unix epoch.
  let now: @Sendable () -> Int64

  var timestamp: JSONValue { .string(Timestamp.text(ofSeconds: now())) }

  func create(
    _ body: JSONValue, at target: Target, _ options: WriteOptions
  ) async throws -> WriteOutcome {
    var object = try identified(body, target)
    if object.name.isEmpty, let prefix = object.metadata["generateName"]?.stringValue {
      object = object.settingMetadata("name", .string(prefix + Self.suffix()))
    }
    guard object.resourceVersion.isEmpty else {
      throw APIStatus.badRequest("resourceVersion should not be set on objects to be created")
    }
    let author = self.author(.update, target, options)
    object = object.settingMetadata("managedFields", nil)
    var managed = ManagedFields(object)
    managed.update(from: [:], to: withoutStatus(object, target), by: author, target.resource)
    object = object.settingMetadata("managedFields", managed.json)
    return try await insert(object, at: target, options)
  }

  /// Stores an object that is new, with the namespace that it is in.
  func insert(
    _ object: JSONValue, at target: Target, _ options: WriteOptions
  ) async throws -> WriteOutcome {
    let resource = target.resource
    var object = withoutStatus(object, target)
    object =
      object
      .settingMetadata("uid", .string(UUID().uuidString.lowercased()))
      .settingMetadata("creationTimestamp", timestamp)
      .settingMetadata("generation", 1)
      .settingMetadata("deletionTimestamp", nil)
      .settingMetadata("resourceVersion", nil)
    object = stored(Self.completed(object, resource), resource)
    try Self.limit(object)
    let warnings = try admission.check(
      object, resource, version: target.version, options.validation)
    let ref = target.ref(object.name)
    while true {
      if await store.object(ref) != nil {
        throw APIStatus.alreadyExists(resource, object.name)
      }
      if options.isDryRun { return WriteOutcome(object: object, isNew: true, warnings: warnings) }
      var writes = [Write(ref, .create(object, owner: .api), by: authorship(options, resource))]
      if let namespace = target.namespace, resource.isNamespaced {
        writes += await missingNamespace(namespace)
      }
      do throws(StoreError) {
        let written = try await store.write(writes)
        return WriteOutcome(object: written[0].json, isNew: true, warnings: warnings)
      } catch {
        if case .exists = error { continue }
        throw self.status(error, resource, object.name)
      }
    }
  }

  func update(
    _ body: JSONValue, at target: Target, _ options: WriteOptions
  ) async throws -> WriteOutcome {
    let new = try identified(body, target)
    return try await change(target, options, author(.update, target, options)) {
      live throws(APIStatus) in
      // A client that leaves out what the server made means no change of it.
      new.resourceVersion.isEmpty
        ? new.settingMetadata("resourceVersion", .string(live.resourceVersion)) : new
    }
  }

  func patch(
    _ patch: Patch, at target: Target, _ options: WriteOptions
  ) async throws -> WriteOutcome {
    if case .apply(let applied) = patch { return try await apply(applied, at: target, options) }
    return try await change(target, options, author(.update, target, options)) {
      live throws(APIStatus) in
      let shown = live.asVersion(target.version, of: target.resource)
      let patched =
        switch patch {
        case .json(let patch): try patch.applied(to: shown)
        case .merge(let patch): MergePatch.merge(patch, into: shown)
        case .strategic(let patch): MergePatch.strategic(patch, into: shown, target.resource)
        case .apply: preconditionFailure("applying has its own path")
        }
      return try identified(patched, target)
    }
  }

  /// Changes an object that is there, again and again until nobody came between.
  func change(
    _ target: Target, _ options: WriteOptions, _ author: ManagedFields.Entry,
    _ edit: (JSONValue) throws(APIStatus) -> JSONValue
  ) async throws -> WriteOutcome {
    let resource = target.resource
    let name = target.name ?? ""
    while true {
      guard let existing = await store.object(target.ref(name)) else {
        throw APIStatus.notFound(resource, name)
      }
      try refuseFiles(existing, resource)
      let edited = await rebased(try edit(existing.json), onto: existing, target)
      guard edited.resourceVersion == existing.json.resourceVersion else {
        throw APIStatus.stale(resource, name)
      }
      var object = try merged(edited, over: existing.json, target)
      object = withManagers(object, edited, existing.json, author, target)
      if let outcome = try await save(object, over: existing, target, options) { return outcome }
    }
  }

  /// An object that its author has seen as it is now but for its status, which others write and which
  /// this write leaves alone, as if it had been seen just now: no reason to refuse it.
  private func rebased(
    _ edited: JSONValue, onto existing: StoredObject, _ target: Target
  ) async -> JSONValue {
    guard !target.isStatus, target.resource.isMeasured,
      let seen = Revision(edited.resourceVersion), seen < existing.revision,
      let change = try? await store.changes(after: Revision(seen.number - 1), limit: 1).first,
      change.revision == seen, change.object.ref == existing.ref,
      change.object.json.uid == existing.json.uid,
      change.object.json.withoutStatus == existing.json.withoutStatus
    else { return edited }
    var rebased = edited.settingMetadata("resourceVersion", .string("\(existing.revision)"))
    if edited.metadata["managedFields"] == change.object.json.metadata["managedFields"] {
      rebased = rebased.settingMetadata("managedFields", existing.json.metadata["managedFields"])
    }
    return rebased
  }

  /// Stores the next version of an object; nil where another writer came between.
  func save(
    _ object: JSONValue, over existing: StoredObject, _ target: Target, _ options: WriteOptions
  ) async throws -> WriteOutcome? {
    let resource = target.resource
    var object = stored(Self.completed(object, resource), resource)
    let before = existing.json
    let generation = before.metadata["generation"]?.integerValue ?? 1
    let hasChanged = object.specOnly.canonical != before.specOnly.canonical
    object =
      object.settingMetadata("generation", .integer(generation + (hasChanged ? 1 : 0)))
      .canonical
    if hasChanged { object = object.withProgrammedUnknown(resource, at: timestamp) }
    try Self.limit(object)
    let warnings = try admission.check(
      object, resource, version: target.version, options.validation)
    let isSame = object == before.canonical
    if options.isDryRun || isSame {
      return WriteOutcome(object: isSame ? before : object, warnings: warnings)
    }
    let isGone = object.isBeingDeleted && object.finalizers.isEmpty
    let operation: Write.Operation =
      isGone
      ? .delete(at: existing.revision) : .replace(object, owner: .api, at: existing.revision)
    do throws(StoreError) {
      let write = Write(existing.ref, operation, by: authorship(options, resource))
      let written = try await store.write([write])
      return WriteOutcome(object: isGone ? object : written[0].json, warnings: warnings)
    } catch {
      if case .conflict = error { return nil }
      if case .missing = error { return nil }
      throw status(error, resource, object.name)
    }
  }

  /// Patches may make an object larger than any body.
  private static func limit(_ object: JSONValue) throws(APIStatus) {
    guard object.bytes().count <= APIServer.bodyLimit else {
      throw .tooLarge(limit: APIServer.bodyLimit)
    }
  }

  func refuseFiles(_ existing: StoredObject, _ resource: APIResource) throws(APIStatus) {
    guard existing.owner == .directory else { return }
    let file = existing.json.metadata["annotations"]?[DirectoryMirror.annotation]?.stringValue
    throw .forbidden(
      resource, existing.ref.name,
      "it is read from \(file ?? "a file"); change it there, or remove it from there first")
  }

  func status(_ error: StoreError, _ resource: APIResource, _ name: String) -> APIStatus {
    switch error {
    case .exists: .alreadyExists(resource, name)
    case .missing: .notFound(resource, name)
    case .conflict: .stale(resource, name)
    case .compacted: .expired("The resourceVersion is too old; list again")
    case .failed(let reason): .internalError(reason)
    }
  }

  func author(
    _ operation: ManagedFields.Operation, _ target: Target, _ options: WriteOptions
  ) -> ManagedFields.Entry {
    ManagedFields.Entry(
      manager: options.manager, operation: operation,
      apiVersion: target.resource.apiVersion(target.version),
      time: Timestamp.text(ofSeconds: now()), subresource: target.subresource, fields: FieldSet())
  }

  /// Five characters, without those that make words, as Kubernetes does.
  private static func suffix() -> String {
    String((0..<5).map { _ in "bcdfghjklmnpqrstvwxz2456789".randomElement() ?? "b" })
  }
}
