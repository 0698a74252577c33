// SPDX-License-Identifier: Apache-2.0

import JSON
import ObjectStore

extension ObjectWriter {
  /// Server-side apply: makes the object or merges into it.
  func apply(
    _ body: JSONValue, at target: Target, _ options: WriteOptions
  ) async throws -> WriteOutcome {
    let resource = target.resource
    let name = target.name ?? ""
    guard body["apiVersion"]?.stringValue != nil, body["kind"]?.stringValue != nil else {
      throw APIStatus.badRequest("an applied object needs apiVersion and kind")
    }
    var applied = try identified(body, target)
    guard applied.metadata["managedFields"]?.arrayElements?.isEmpty ?? true else {
      throw APIStatus.badRequest("metadata.managedFields must be nil")
    }
    let expected = applied.resourceVersion
    for key in ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"] {
      applied = applied.settingMetadata(key, nil)
    }
    applied = Self.completed(applied, resource)
    let merge = ServerSideApply(
      resource: resource, author: author(.apply, target, options), isForced: options.isForced)
    while true {
      guard let existing = await store.object(target.ref(name)) else {
        if target.isStatus || !expected.isEmpty { throw APIStatus.notFound(resource, name) }
        let fresh = try merge.merge(withoutStatus(applied, target), into: [:])
        do {
          return try await insert(fresh, at: target, options)
        } catch let status as APIStatus where status.reason == "AlreadyExists" {
          continue
        }
      }
      try refuseFiles(existing, resource)
      guard expected.isEmpty || expected == existing.json.resourceVersion else {
        throw APIStatus.stale(resource, name)
      }
      let live = existing.json
      let relevant: JSONValue =
        target.isStatus
        ? JSONValue.object([:]).setting("status", applied["status"])
        : withoutStatus(applied, target)
      let merged = try merge.merge(relevant, into: live)
      let object = try self.merged(
        merged.settingMetadata("resourceVersion", .string(live.resourceVersion)), over: live,
        target
      ).settingMetadata("managedFields", merged.metadata["managedFields"])
      if let outcome = try await save(object, over: existing, target, options) { return outcome }
    }
  }
}
