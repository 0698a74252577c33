// SPDX-License-Identifier: Apache-2.0

/// Gives equal sets of names one storage.
///
/// Proxies of one class subscribe to the same thousand names; each stream that kept its own copy would
/// cost a hundred kilobytes. Two generations bound the pool: what was not asked for while a whole
/// generation filled up is forgotten, and only costs a copy when it comes again.
package struct NamePool: Sendable {
  private let limit: Int
  private var young: Set<Set<String>> = []
  private var old: Set<Set<String>> = []

  /// Makes a pool that holds at most twice `limit` sets.
  package init(limit: Int = 256) { self.limit = limit }

  /// How many sets it holds.
  package var count: Int { young.union(old).count }

  /// An equal set, with the storage of the first that was asked for.
  package mutating func shared(_ names: Set<String>) -> Set<String> {
    if let index = young.firstIndex(of: names) { return young[index] }
    let known = old.firstIndex(of: names).map { old[$0] } ?? names
    if young.count >= limit {
      old = young
      young = []
    }
    young.insert(known)
    return known
  }
}
