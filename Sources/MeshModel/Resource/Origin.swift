// SPDX-License-Identifier: Apache-2.0

/// Which object, at which generation and field, caused an xDS resource to be as it is.
///
/// Every encoded resource carries its origins, so that a rejection by an Envoy leads back to the
/// manifest that its author can mend.
package struct Origin: Hashable, Sendable {
  package var object: ObjectRef
  package var generation: Int64
  package var path: FieldPath

  package init(object: ObjectRef, generation: Int64, path: FieldPath = FieldPath()) {
    self.object = object
    self.generation = generation
    self.path = path
  }
}

extension Origin: Comparable {
  package static func < (left: Self, right: Self) -> Bool {
    (left.object, left.generation, left.path) < (right.object, right.generation, right.path)
  }
}

extension Origin: CustomStringConvertible {
  /// The object with its generation, and the path: `EnvoyFilter ns/name@3: spec.configPatches[0]`.
  package var description: String {
    path.components.isEmpty
      ? "\(object)@\(generation)" : "\(object)@\(generation): \(path)"
  }
}
