// SPDX-License-Identifier: Apache-2.0

/// A part of the objects of a kind, in the order of namespace and name.
package struct Listing: Sendable {
  package var objects: [StoredObject] = []
  /// The state that the objects were read from; a watch goes on from here.
  package var revision: Revision
  /// How many more there are behind the last one.
  package var remaining = 0

  package init(objects: [StoredObject] = [], revision: Revision, remaining: Int = 0) {
    self.objects = objects
    self.revision = revision
    self.remaining = remaining
  }
}
