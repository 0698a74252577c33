// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import ObjectStore

extension ObjectShelf {
  /// The history as objects.
  ///
  /// - Parameters:
  ///   - target: of which namespace, or of all.
  ///   - isWanted: gets what can be told without reading the former object.
  /// - Returns: the revisions, by object and number.
  func revisions(
    _ target: Target, where isWanted: (JSONValue) -> Bool
  ) async -> [JSONValue] {
    await store.history(in: target.namespace)
      .compactMap { entry in
        catalog.resource(of: entry.ref.kind).map { ControllerRevision(entry, of: $0) }
      }
      .filter { isWanted($0.head) }.map(\.json)
  }
}
