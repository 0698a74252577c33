// SPDX-License-Identifier: Apache-2.0

/// How the elements of a list are told apart when two authors write it.
enum ListKind: Hashable {
  /// A set of scalars.
  case set
  /// Objects with these keys; a key that is left out has this value.
  case map(keys: [String], defaults: [String: String] = [:])
}
