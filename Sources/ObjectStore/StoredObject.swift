// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

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
