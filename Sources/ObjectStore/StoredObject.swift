// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// Who may change an object.
package enum Owner: String, Hashable, Sendable {
  /// Clients of the API.
  case api
  /// A file: the API shows the object, and its author changes the file.
  case directory
}

/// An object as the API shows it, with the revision that wrote it.
package struct StoredObject: Hashable, Sendable {
  package let ref: ObjectRef
  package let owner: Owner
  package let revision: Revision
  /// With `metadata.resourceVersion` of this revision.
  package let json: JSONValue

  package init(ref: ObjectRef, owner: Owner, revision: Revision, json: JSONValue) {
    self.ref = ref
    self.owner = owner
    self.revision = revision
    guard case .object(var members) = json else {
      preconditionFailure("what is stored is an object with metadata")
    }
    var metadata = members["metadata"]?.objectMembers ?? [:]
    metadata["resourceVersion"] = .string("\(revision)")
    members["metadata"] = .object(metadata)
    self.json = .object(members)
  }
}

/// One entry of the change log.
package struct Change: Hashable, Sendable {
  package enum Operation: String, Hashable, Sendable {
    case added
    case modified
    case deleted
  }

  package let operation: Operation
  /// As it is since this change; of a deletion as it was, at the deletion's revision.
  package let object: StoredObject
  /// As it was before; nil for what was added, and where the log does not reach back so far.
  package let previous: StoredObject?
  /// About what it takes in the log, as text.
  let bytes: Int

  init(operation: Operation, object: StoredObject, previous: StoredObject?) {
    self.operation = operation
    self.object = object
    self.previous = previous
    bytes = object.json.approximateSize
  }

  package var revision: Revision { object.revision }
}

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

  package init(_ ref: ObjectRef, _ operation: Operation) {
    self.ref = ref
    self.operation = operation
  }
}

extension JSONValue {
  /// Bytes of its text, without escapes.
  fileprivate var approximateSize: Int {
    switch self {
    case .null, .bool, .number: 8
    case .string(let text): text.utf8.count + 2
    case .array(let elements): elements.reduce(2) { $0 + $1.approximateSize + 1 }
    case .object(let members):
      members.reduce(2) { $0 + $1.key.utf8.count + $1.value.approximateSize + 4 }
    }
  }
}
