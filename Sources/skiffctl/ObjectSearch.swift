// SPDX-License-Identifier: Apache-2.0

import JSON
import KubeClient

/// Finds the objects that a command line means.
enum ObjectSearch {
  /// The named objects, whether they are there or not, and of unnamed ones those that are.
  static func keys(
    _ selections: [Selection], in namespace: String?, labels: String, _ api: APIConnection
  ) async throws -> [ObjectKey] {
    var keys: [ObjectKey] = []
    for selection in selections {
      let kind = selection.kind
      keys += selection.names.map { ObjectKey(kind, in: namespace ?? "", $0) }
      guard selection.names.isEmpty else { continue }
      let query = labels.isEmpty ? [] : [("labelSelector", labels)]
      let pages = try await api.list(kind.path(in: namespace), query: query)
      keys += pages.flatMap { $0["items"]?.arrayElements ?? [] }.map { ObjectKey(kind, of: $0) }
    }
    return keys
  }
}
