// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// A generation of an object: who made it, and what it was in the end.
package struct HistoryEntry: Sendable {
  package enum State: Sendable {
    /// The object has it now.
    case current(StoredObject)
    /// The text of the object as it was last, with what had happened to it, without managed fields.
    case former(String)
    /// The object was deleted.
    case deletion
  }

  package let ref: ObjectRef
  /// Counts the generations of a name from 1, and goes on where an object of the name is made again.
  package let number: Int64
  /// The change that made it.
  package let revision: Revision
  package let author: Authorship
  package let state: State

  /// The object; nil for a deletion.
  package var object: JSONValue? {
    switch state {
    case .current(let object): object.json
    // What the store wrote can be read, or the store had not been opened.
    case .former(let text): try? JSONValue(parsing: text)
    case .deletion: nil
    }
  }
}
