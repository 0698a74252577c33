// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// A change that is asked for.
package struct Write: Sendable {
  package enum Operation: Sendable {
    /// The object must not be there.
    case create(JSONValue, owner: Owner)
    /// The object must be there, at exactly this revision.
    case replace(JSONValue, owner: Owner, at: Revision)
    /// The object must be there, at exactly this revision.
    case delete(at: Revision)
  }

  package let ref: ObjectRef
  package let operation: Operation
  /// Whom the history names for a new generation; nil keeps no history.
  package let author: Authorship?

  package init(_ ref: ObjectRef, _ operation: Operation, by author: Authorship? = nil) {
    self.ref = ref
    self.operation = operation
    self.author = author
  }
}
