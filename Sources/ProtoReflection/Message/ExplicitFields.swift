// SPDX-License-Identifier: Apache-2.0

/// What a JSON text sets to nothing: the fields that a message, once decoded, no longer shows.
///
/// A field without presence holds its default whether somebody wrote `false` or nothing; a merge by
/// protobuf's rules cannot tell. This tree remembers what was written.
package struct ExplicitFields: Hashable, Sendable {
  /// Fields that were set to their default, to an empty list or to null.
  package var cleared: Set<Int32> = []
  /// The keys of map fields that were set to null.
  package var removedKeys: [Int32: Set<MapKey>] = [:]
  /// Below singular message fields; below the content of an `Any`, that content's fields.
  package var nested: [Int32: ExplicitFields] = [:]

  package init() {}

  package var isEmpty: Bool { cleared.isEmpty && removedKeys.isEmpty && nested.isEmpty }

  /// What is below a singular message field.
  package func below(_ field: FieldDescriptor) -> ExplicitFields {
    nested[field.number] ?? ExplicitFields()
  }
}
