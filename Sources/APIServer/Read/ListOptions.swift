// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import MeshModel
import ObjectStore

/// What of a collection a client wants to see.
struct ListOptions {
  var labels = LabelQuery()
  var fields = FieldQuery()
  var limit: Int?
  /// Where the last page ended.
  var start: Cursor?
  /// The `resourceVersion` that was asked for; nil for the current state.
  var revision: Revision?
  var isExact = false

  init(_ query: Query, _ target: Target) throws(APIStatus) {
    if let text = query["labelSelector"] { labels = try LabelQuery(text) }
    if let text = query["fieldSelector"] { fields = try FieldQuery(text, target.resource) }
    limit = try query.integer("limit").flatMap { $0 == 0 ? nil : $0 }
    if let text = query["continue"] { start = try Cursor(text, target.resource.kind) }
    if let text = query["resourceVersion"], text != "0" {
      guard let revision = Revision(text) else {
        throw .badRequest("resourceVersion: Invalid value: \"\(text)\": it is no number")
      }
      self.revision = revision
    }
    isExact = query["resourceVersionMatch"] == "Exact"
  }

  func matches(_ object: JSONValue) -> Bool {
    fields.matches(object) && (labels.isEmpty || labels.matches(object.labels))
  }

  /// Where a page ended: in the `continue` of one answer and of the next question.
  struct Cursor {
    /// Of the first page.
    var revision: Revision
    var after: ObjectRef

    init(revision: Revision, after: ObjectRef) {
      self.revision = revision
      self.after = after
    }

    init(_ text: String, _ kind: ObjectKind) throws(APIStatus) {
      guard let data = Data(base64Encoded: text),
        let json = try? JSONValue(parsing: Array(data)),
        let revision = json["rv"]?.stringValue.flatMap({ Revision($0) }),
        let namespace = json["namespace"]?.stringValue, let name = json["name"]?.stringValue
      else { throw .badRequest("continue key is not valid") }
      self.revision = revision
      after = ObjectRef(kind: kind, namespace: namespace, name: name)
    }

    var text: String {
      let json: JSONValue = [
        "rv": .string("\(revision)"), "namespace": .string(after.namespace),
        "name": .string(after.name),
      ]
      return Data(json.bytes()).base64EncodedString()
    }
  }
}
