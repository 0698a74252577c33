// SPDX-License-Identifier: Apache-2.0

/// A group of fields of which at most one is set.
package struct OneofDescriptor: Sendable {
  package let name: String
  /// The numbers of its members, in order of declaration.
  package let fieldNumbers: [Int32]
  /// The serialised `OneofOptions`.
  let options: Range<Int>?
}
