// SPDX-License-Identifier: Apache-2.0

/// Where mesh snapshots come from: what the xDS server knows of the store.
package protocol SnapshotSource: Sendable {
  /// The configuration as it is now; nil until the first complete listing of every source.
  func snapshot() async -> MeshSnapshot?

  /// Yields once for each change since the consumer last looked; changes in between are merged.
  func changes() async -> AsyncStream<Void>
}
