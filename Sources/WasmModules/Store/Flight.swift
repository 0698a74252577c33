// SPDX-License-Identifier: Apache-2.0

/// A fetch that all share who want the same by the same right.
struct Flight: Sendable {
  /// Two secrets do not share one: the second might see what it has no right to.
  struct Key: Hashable, Sendable {
    var viewpoint: ModuleLookup.Viewpoint
    var expected: ModuleDigest?

    init(_ lookup: ModuleLookup) {
      viewpoint = lookup.viewpoint
      expected = lookup.expected
    }
  }

  typealias Waiter = CheckedContinuation<Result<Module, ModuleError>, Never>

  /// That of the request that began it; bounds each call of the source, as the source defines.
  let timeout: Duration
  let secret: PullSecret?
  /// On whose behalf it is made, whether they still wait or not.
  var lookups: [ModuleLookup]
  var waiters: [Int: Waiter] = [:]

  /// Whether it may answer a request that comes while it runs.
  ///
  /// It may have asked before the change that the request was sent for, so a pull that must be fresh
  /// takes the next flight.
  func serves(_ lookup: ModuleLookup) -> Bool { !lookup.mustPull || lookups.contains(lookup) }

  mutating func join(_ lookup: ModuleLookup, _ number: Int, _ waiter: Waiter) {
    if !lookups.contains(lookup) { lookups.append(lookup) }
    waiters[number] = waiter
  }
}
