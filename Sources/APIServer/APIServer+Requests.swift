// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import JSON
import Manifests
import NIOCore
import ObjectStore

extension APIServer {
  /// Answers a request about objects.
  func answer(
    _ request: Request, _ context: Context, about target: Target, _ query: Query
  ) async throws -> Response {
    let accept = Accept(request.headers[.accept])
    guard accept != .unacceptable else { throw APIStatus.notAcceptable }
    let rendering = Rendering(
      resource: target.resource, version: target.version, accept: accept,
      rowObject: query["includeObject"] ?? "Metadata", now: writer.now())
    let isRead = request.method == .get
    guard isRead || !target.resource.isReadOnly,
      !query.flag("watch") || target.resource.verbs.contains("watch")
    else { throw APIStatus.methodNotAllowed }
    switch (request.method, target.name) {
    case (.get, nil): return try await list(request, context, target, query, rendering)
    case (.get, let name?):
      if query.flag("watch") { return try watch(request, context, target, query, rendering) }
      return Self.json(rendering.object(try await shelf.object(name, at: target)))
    case (.post, nil):
      guard target.namespace != nil || !target.resource.isNamespaced else {
        throw APIStatus.methodNotAllowed
      }
      let body = try await self.body(request)
      return respond(try await writer.create(body, at: target, options(request, query)), rendering)
    case (.put, .some):
      let body = try await self.body(request)
      return respond(try await writer.update(body, at: target, options(request, query)), rendering)
    case (.patch, .some):
      let patch = try await self.patch(request, target)
      return respond(try await writer.patch(patch, at: target, options(request, query)), rendering)
    case (.delete, let name?) where target.subresource.isEmpty:
      let options = DeleteOptions(
        try await optionalBody(request), query, userAgent: request.headers[.userAgent])
      let object = try await writer.delete(name, at: target, options)
      return Self.json(object["kind"] == "Status" ? object : rendering.object(object))
    case (.delete, nil): return try await deleteAll(request, target, query, rendering)
    default: throw APIStatus.methodNotAllowed
    }
  }

  private func options(_ request: Request, _ query: Query) throws(APIStatus) -> WriteOptions {
    try WriteOptions(query, userAgent: request.headers[.userAgent])
  }

  private func respond(_ outcome: WriteOutcome, _ rendering: Rendering) -> Response {
    Self.json(
      rendering.object(outcome.object), status: outcome.isNew ? 201 : 200,
      warnings: outcome.warnings)
  }

  private func list(
    _ request: Request, _ context: Context, _ target: Target, _ query: Query, _ rendering: Rendering
  ) async throws -> Response {
    if query.flag("watch") { return try watch(request, context, target, query, rendering) }
    let page = try await shelf.page(target, ListOptions(query, target))
    return Self.json(rendering.list(page))
  }

  /// Deletes what a selector names, one after the other, and shows what was there.
  private func deleteAll(
    _ request: Request, _ target: Target, _ query: Query, _ rendering: Rendering
  ) async throws -> Response {
    // All of a kind everywhere, or all namespaces, go one by one.
    guard target.namespace != nil else { throw APIStatus.methodNotAllowed }
    let options = DeleteOptions(
      try await optionalBody(request), query, userAgent: request.headers[.userAgent])
    let page = try await shelf.page(target, ListOptions(query, target))
    for object in page.objects {
      do {
        _ = try await writer.delete(object.name, at: target, options)
      } catch let status as APIStatus where status.reason == "NotFound" {
        continue
      }
    }
    return Self.json(rendering.list(page))
  }

  private func watch(
    _ request: Request, _ context: Context, _ target: Target, _ query: Query, _ rendering: Rendering
  ) throws(APIStatus) -> Response {
    var options = try ListOptions(query, target)
    if let name = target.name {
      options.fields = try FieldQuery("metadata.name=\(name)", target.resource)
    }
    let from = options.revision
    options.revision = nil
    options.limit = nil
    options.start = nil
    // A watch from nowhere begins with the state; one that asks for it may say from when on.
    let sendsInitial =
      from == nil ? !(query["sendInitialEvents"] == "false") : query.flag("sendInitialEvents")
    let marksInitial = query.flag("sendInitialEvents")
    let seconds = try query.integer("timeoutSeconds") ?? Int.random(in: 1800..<3600)
    let (shelf, plain, channel) = (shelf, options, context.channel)
    let stream = WatchStream(
      store: shelf.store,
      makeCursor: { () async throws(APIStatus) in
        let current = await shelf.store.revision()
        if let from, from > current { throw .futureRevision("\(from)", current: "\(current)") }
        var cursor = WatchCursor(target, plain, rendering, from: from ?? current)
        guard sendsInitial else { return (cursor, []) }
        var initial = cursor.initial(try await shelf.page(target, plain))
        if marksInitial { initial.append(cursor.bookmark(endsInitialEvents: true)) }
        return (cursor, initial)
      },
      sendsBookmarks: query.flag("allowWatchBookmarks"), timeout: .seconds(seconds), clock: clock)
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody { writer in
        try await stream.write(request, channel, to: &writer)
      })
  }
}
