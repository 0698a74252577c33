// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ObjectStore

/// Reads what the API shows: what is stored, and the definitions of the kinds themselves.
struct ObjectShelf: Sendable {
  let store: any Store
  let catalog: Catalog
  let definitions: Definitions

  func object(_ name: String, at target: Target) async throws(APIStatus) -> JSONValue {
    if target.resource.kind == .controllerRevision {
      guard let revision = await revisions(target, where: { $0.name == name }).first else {
        throw .notFound(target.resource, name)
      }
      return revision
    }
    let object =
      target.resource.isReadOnly
      ? definitions.objects.first { $0.name == name }
      : await store.object(target.ref(name))?.json
    guard let object else { throw .notFound(target.resource, name) }
    return object
  }

  /// A page of a collection, in the order of namespace and name.
  ///
  /// Later pages are read from the state at their time and carry the revision of the first one: a watch
  /// from there tells what changed in between.
  func page(_ target: Target, _ options: ListOptions) async throws(APIStatus) -> Page {
    if target.resource.kind == .controllerRevision {
      return Page(
        objects: await revisions(target, where: options.matches), revision: await store.revision())
    }
    if target.resource.isReadOnly {
      return Page(
        objects: definitions.objects.filter(options.matches), revision: await store.revision())
    }
    let current = await store.revision()
    if let asked = options.revision {
      if asked > current { throw .futureRevision("\(asked)", current: "\(current)") }
      if options.isExact, asked != current {
        throw .expired(
          "The provided resourceVersion \(asked) is not kept; the current is \(current)")
      }
    }
    if let start = options.start {
      do throws(StoreError) { _ = try await store.changes(after: start.revision, limit: 1) } catch {
        throw .expired(
          "The provided continue parameter is too old to display a consistent list result. "
            + "You must start a new list without the continue parameter.")
      }
    }
    return await collect(target, options)
  }

  private func collect(_ target: Target, _ options: ListOptions) async -> Page {
    let isFiltered = !options.labels.isEmpty || !options.fields.isEmpty
    var page = Page(objects: [], revision: Revision(0))
    var after = options.start?.after
    while true {
      let listing = await store.objects(
        of: target.resource.kind, in: target.namespace, after: after,
        limit: options.limit.map { max($0, 500) })
      if page.revision == Revision(0) {
        page.revision = options.start?.revision ?? listing.revision
      }
      for (index, object) in listing.objects.enumerated() where options.matches(object.json) {
        if let limit = options.limit, page.objects.count == limit, let after {
          page.next = ListOptions.Cursor(revision: page.revision, after: after).text
          // What a selector will leave of the rest is not known.
          if !isFiltered { page.remaining = listing.remaining + listing.objects.count - index }
          return page
        }
        page.objects.append(object.json)
        after = object.ref
      }
      guard listing.remaining > 0, let last = listing.objects.last else { return page }
      after = last.ref
    }
  }
}
