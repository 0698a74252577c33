// SPDX-License-Identifier: Apache-2.0

/// How much one manifest may ask of the reader.
///
/// A manifest is input from outside: its size, its depth and what its aliases expand to are bounded
/// before memory is spent on them, so one hostile or mistaken file cannot take the process with it.
package struct ManifestLimits: Hashable, Sendable {
  /// Bytes of a file, checked before it is read: ten thousand routes are about 5 MiB.
  package var fileSize = 16 << 20
  /// Levels of nesting of a document; Envoy's deepest messages stay below 40.
  package var depth = 100
  /// Scalars, lists and objects of a document with its aliases expanded.
  ///
  /// The costliest file within the limit takes about 200 MiB while it is read.
  package var values = 1_000_000

  package init() {}
}
