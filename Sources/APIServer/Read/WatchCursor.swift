// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ObjectStore

/// Where a watch stands in the log, and what its client has to be told: a value that its stream moves
/// on.
///
/// It holds no events: a slow client costs its position, and is told 410 when the log has gone on
/// without it.
struct WatchCursor {
  let target: Target
  let options: ListOptions
  let rendering: Rendering
  private(set) var position: Revision
  private var hasColumns = false

  init(_ target: Target, _ options: ListOptions, _ rendering: Rendering, from position: Revision) {
    self.target = target
    self.options = options
    self.rendering = rendering
    self.position = position
  }

  /// The state of a page as events.
  mutating func initial(_ page: Page) -> [[UInt8]] {
    position = page.revision
    return page.objects.map { event("ADDED", $0) }
  }

  /// What some changes mean to this client; an object that begins to match is added, one that no longer
  /// does is deleted.
  mutating func events(for changes: [Change]) -> [UInt8] {
    var bytes: [UInt8] = []
    for change in changes {
      position = change.revision
      let object = change.object
      guard object.ref.kind == target.resource.kind,
        target.namespace == nil || object.ref.namespace == target.namespace
      else { continue }
      let matches = options.matches(object.json)
      // Where the log does not say what was before, the client may have the object.
      let matched = change.previous.map { options.matches($0.json) } ?? (change.operation != .added)
      switch change.operation {
      case .added where matches: bytes += event("ADDED", object.json)
      case .modified where matches: bytes += event(matched ? "MODIFIED" : "ADDED", object.json)
      case .modified where matched: bytes += event("DELETED", object.json)
      case .deleted where matched || matches: bytes += event("DELETED", object.json)
      case .added, .modified, .deleted: break
      }
    }
    return bytes
  }

  /// Tells a client how far it has seen everything, or that the state it asked for as events ends here.
  mutating func bookmark(endsInitialEvents: Bool = false) -> [UInt8] {
    var metadata: JSONObject = [
      "resourceVersion": .string("\(position)"), "creationTimestamp": .null,
    ]
    if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
    return event("BOOKMARK", ["metadata": .object(metadata)])
  }

  static func error(_ status: APIStatus) -> [UInt8] {
    let event: JSONValue = ["type": "ERROR", "object": status.json]
    return event.bytes() + [UInt8(ascii: "\n")]
  }

  private mutating func event(_ type: String, _ object: JSONValue) -> [UInt8] {
    defer { hasColumns = true }
    return rendering.event(type, object, withColumns: !hasColumns)
  }
}
