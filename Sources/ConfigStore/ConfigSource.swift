// SPDX-License-Identifier: Apache-2.0

package import Manifests
package import MeshModel

/// What a source of configuration tells the store, in the vocabulary of a Kubernetes watch.
package enum ConfigEvent: Hashable, Sendable {
  /// A listing of everything begins: keep what follows apart.
  case listBegan
  /// The object is there, new or changed. Its metadata is complete: uid, generation,
  /// resourceVersion, creationTimestamp.
  case apply(DecodedObject)
  /// The object is gone.
  case delete(ObjectRef)
  /// All that is wrong with a place (a file, a directory) now; empty takes back what was said.
  case problems([ConfigError], of: String)
  /// The listing is complete: take it at once; what it did not name is gone.
  case listEnded
}

/// Where configuration comes from: a directory, or a Kubernetes API.
package protocol ConfigSource: Sendable {
  /// Unique in a store: `directory /etc/skiff`.
  var name: String { get }

  /// Watches until its task is cancelled.
  ///
  /// - Parameter deliver: takes a batch of events, all of which take effect at once; the next batch
  ///   follows when it has returned, so a slow store slows its sources down.
  /// - Throws: what makes the source unable to go on. What is wrong with the configuration is told
  ///   in events.
  func run(_ deliver: @Sendable ([ConfigEvent]) async -> Void) async throws
}
