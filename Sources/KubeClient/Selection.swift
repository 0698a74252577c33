// SPDX-License-Identifier: Apache-2.0

/// Objects as named on a command line.
package struct Selection: Hashable, Sendable {
  package var kind: ServedKind
  /// Empty for all of the kind.
  package var names: [String]

  /// Reads `KIND[,KIND]`, `KIND NAME…` or `KIND/NAME…`.
  package static func all(
    _ arguments: [String], in index: KindIndex
  ) throws(ClientFailure) -> [Selection] {
    guard let first = arguments.first else {
      throw .local("say which objects: KIND, KIND NAME or KIND/NAME")
    }
    if arguments.contains(where: { $0.contains("/") }) {
      var selections: [Selection] = []
      for argument in arguments {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
          throw .local("expected KIND/NAME, found \"\(argument)\"; do not mix both forms")
        }
        let kind = try index.kind(named: String(parts[0]))
        if selections.last?.kind == kind {
          selections[selections.count - 1].names.append(String(parts[1]))
        } else {
          selections.append(Selection(kind: kind, names: [String(parts[1])]))
        }
      }
      return selections
    }
    let names = Array(arguments.dropFirst())
    return try index.kinds(named: first).map { Selection(kind: $0, names: names) }
  }
}
