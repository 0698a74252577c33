// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Objects with revisions, and the log of their changes: what an API server keeps.
///
/// Every write has the next revision; a batch is written as a whole or not at all, and is durable, as
/// far as the store is, when the call returns. One conformance suite runs on every implementation.
package protocol Store: Sendable {
  /// The revision of the last change.
  func revision() async -> Revision

  func object(_ ref: ObjectRef) async -> StoredObject?

  /// The objects of a kind.
  ///
  /// - Parameters:
  ///   - kind: one kind.
  ///   - namespace: nil for all.
  ///   - after: only what comes behind this one in the order; it need not exist any more.
  ///   - limit: at most so many; nil for all.
  /// - Returns: the objects with the revision that they were read at.
  func objects(
    of kind: ObjectKind, in namespace: String?, after: ObjectRef?, limit: Int?
  ) async -> Listing

  /// Does all of this, or nothing.
  ///
  /// - Parameter writes: of different objects.
  /// - Returns: the objects as they are now, in the order of the writes; deleted ones as they were, at
  ///   the revision of their deletion.
  /// - Throws: why nothing was written.
  func write(_ writes: [Write]) async throws(StoreError) -> [StoredObject]

  /// The generations of objects that were written with an author, those of deleted objects too, within
  /// the limits of the store; sorted by object and number.
  ///
  /// A generation is another `metadata.generation`, or the object's beginning or end. It is as durable as
  /// the write that made it.
  ///
  /// - Parameter namespace: nil for all.
  /// - Returns: the entries; those of present objects with the object as it is now.
  func history(in namespace: String?) async -> [HistoryEntry]

  /// The changes after a revision, oldest first.
  ///
  /// - Throws: `compacted` where some of them are not in the log any more.
  func changes(after: Revision, limit: Int) async throws(StoreError) -> [Change]

  /// Yields after changes; those that come before the consumer looks are one.
  func signals() async -> AsyncStream<Void>
}
