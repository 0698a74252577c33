// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What a client asks for of one type: some names, or everything.
///
/// A first request without names asks for everything of a type that has wildcards, until the client
/// sends names (the legacy wildcard); `*` asks for everything at any time. Once a client has sent
/// names, no names means that it wants nothing any more.
/// See "How the client specifies what resources to return" in the xDS protocol.
struct Subscription: Hashable, Sendable {
  struct Change: Hashable {
    var added = false
    var removed = false
  }

  private(set) var isWildcard = false
  /// Besides the wildcard.
  private(set) var names: Set<String> = []
  /// Whether no names still mean everything.
  private var isLegacyWildcard = false

  /// The subscription that a first request makes.
  init(
    requesting requested: [String], of typeURL: TypeURL,
    sharing: (Set<String>) -> Set<String>
  ) {
    if requested.isEmpty {
      isWildcard = typeURL.isWildcardType
      isLegacyWildcard = isWildcard
    } else {
      _ = update(requesting: requested, sharing: sharing)
    }
  }

  var isEmpty: Bool { !isWildcard && names.isEmpty }

  /// Nil for everything.
  var selectedNames: Set<String>? { isWildcard ? nil : names }

  func selects(_ name: String) -> Bool { isWildcard || names.contains(name) }

  /// Follows a later request.
  ///
  /// The usual one repeats the names and is recognised without making a set; a request that repeats
  /// one name in the place of another is malformed, and counts as no change.
  mutating func update(
    requesting requested: [String], sharing: (Set<String>) -> Set<String>
  ) -> Change {
    if requested.isEmpty && isLegacyWildcard { return Change() }
    isLegacyWildcard = false
    let wildcard = requested.contains("*")
    if wildcard == isWildcard, requested.count - (wildcard ? 1 : 0) == names.count,
      requested.allSatisfy({ names.contains($0) || $0 == "*" })
    {
      return Change()
    }
    let former = self
    isWildcard = wildcard
    var wanted = Set(requested)
    wanted.remove("*")
    if wanted != names { names = wanted.isEmpty ? [] : sharing(wanted) }
    return Change(
      added: !former.isWildcard && (isWildcard || !names.isSubset(of: former.names)),
      removed: !isWildcard && (former.isWildcard || !former.names.isSubset(of: names)))
  }
}
