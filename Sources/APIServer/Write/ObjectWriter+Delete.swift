// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ObjectStore

extension ObjectWriter {
  /// Deletes an object, or begins to where finalizers hold it.
  ///
  /// - Returns: the object where it is still there, else a Status of success.
  func delete(
    _ name: String, at target: Target, _ options: DeleteOptions
  ) async throws -> JSONValue {
    let resource = target.resource
    while true {
      guard let existing = await store.object(target.ref(name)) else {
        throw APIStatus.notFound(resource, name)
      }
      try refuseFiles(existing, resource)
      try check(options, existing, resource)
      let success = APIStatus.deleted(resource, name: name, uid: existing.json.uid)
      var writes: [Write] = []
      let agent = options.userAgent
      if resource.kind == .namespace { writes = try await contents(of: name, resource, for: agent) }
      let isHeld = !existing.json.finalizers.isEmpty
      let marked =
        existing.json.isBeingDeleted
        ? existing.json
        : existing.json
          .settingMetadata("deletionTimestamp", timestamp)
          .settingMetadata("deletionGracePeriodSeconds", 0)
          .canonical
      if isHeld {
        if existing.json.isBeingDeleted || options.isDryRun { return marked }
        writes.append(
          Write(existing.ref, .replace(marked, owner: .api, at: existing.revision)))
      } else {
        writes.append(
          Write(
            existing.ref, .delete(at: existing.revision), by: authorship(of: resource, for: agent)))
      }
      if options.isDryRun { return success }
      do throws(StoreError) {
        let written = try await store.write(writes)
        return isHeld ? written[written.count - 1].json : success
      } catch {
        switch error {
        case .conflict, .missing: continue
        default: throw status(error, resource, name)
        }
      }
    }
  }

  private func check(
    _ options: DeleteOptions, _ existing: StoredObject, _ resource: APIResource
  ) throws(APIStatus) {
    let json = existing.json
    if let uid = options.uid, uid != json.uid {
      throw .conflict(
        resource, json.name,
        "Precondition failed: UID in precondition: \(uid), UID in object meta: \(json.uid)")
    }
    if let version = options.resourceVersion, version != json.resourceVersion {
      throw .conflict(
        resource, json.name,
        "Precondition failed: ResourceVersion in precondition: \(version), "
          + "ResourceVersion in object meta: \(json.resourceVersion)")
    }
  }

  /// The deletions of all that is in a namespace.
  private func contents(
    of namespace: String, _ resource: APIResource, for userAgent: String
  ) async throws -> [Write] {
    guard namespace != "default" else {
      throw APIStatus.forbidden(resource, namespace, "this namespace may not be deleted")
    }
    var writes: [Write] = []
    for kind in catalog.resources where kind.isNamespaced {
      let listing = await store.objects(of: kind.kind, in: namespace, after: nil, limit: nil)
      for object in listing.objects {
        guard object.owner == .api else {
          throw APIStatus.forbidden(
            resource, namespace, "\(object.ref) is read from a file; remove it from there first")
        }
        guard object.json.finalizers.isEmpty else {
          throw APIStatus.conflict(
            resource, namespace, "\(object.ref) has finalizers; delete it first")
        }
        writes.append(
          Write(
            object.ref, .delete(at: object.revision), by: authorship(of: kind, for: userAgent)))
      }
    }
    return writes
  }
}
