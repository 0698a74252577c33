// SPDX-License-Identifier: Apache-2.0

package import JSON

/// What a watch tells of the objects of a collection.
package enum ObjectNews: Sendable {
  /// All objects, at the beginning and after each new connection.
  case state([JSONValue])
  case changed(JSONValue)
  /// As it was last.
  case deleted(JSONValue)
}

/// What is watched.
package struct WatchedCollection: Sendable {
  package var kind: ServedKind
  /// Nil for all.
  package var namespace: String?
  /// Nil for all of the collection.
  package var name: String?
  /// `a=b,c!=d`; empty for all.
  package var labels: String

  package init(_ kind: ServedKind, in namespace: String?, name: String? = nil, labels: String = "")
  {
    self.kind = kind
    self.namespace = namespace
    self.name = name
    self.labels = labels
  }

  var query: [(String, String)] {
    (name.map { [("fieldSelector", "metadata.name=\($0)")] } ?? [])
      + (labels.isEmpty ? [] : [("labelSelector", labels)])
  }
}
