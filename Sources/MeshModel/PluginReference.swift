// SPDX-License-Identifier: Apache-2.0

/// A `wasm` of a VirtualService, of one of its routes or of a Gateway: the name of an extension
/// provider whose plugin the requests pass.
///
/// No field of Istio's.
package struct PluginReference: Hashable, Sendable {
  package var name: String
  /// The position in a list; nil for a single one.
  package var index: Int?

  package init(name: String, index: Int? = nil) {
    self.name = name
    self.index = index
  }

  /// Where the name is written; `base` is the message that has the field, such as `spec.http[0]`.
  package func path(in base: FieldPath) -> FieldPath {
    let field = base["wasm"]
    return (index.map { field[$0] } ?? field)["pluginName"]
  }
}

extension VirtualService {
  /// All names of plugins in it.
  package var pluginNames: Set<String> {
    guard !plugins.isEmpty || http.indices.contains(where: { !http[$0].plugins.isEmpty }) else {
      return []
    }
    return Set((plugins + http.flatMap(\.plugins)).map(\.name))
  }
}
