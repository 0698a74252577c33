// SPDX-License-Identifier: Apache-2.0

/// What was measured of an object: how it fares at the proxies.
package struct MeasuredStatus: Hashable, Sendable {
  /// The proxies whose bytes depend on the object.
  package struct Proxies: Hashable, Sendable {
    package var total: Int
    package var programmed: Int
    package var pending: Int
    package var rejected: Int

    package init(total: Int, programmed: Int, pending: Int, rejected: Int) {
      self.total = total
      self.programmed = programmed
      self.pending = pending
      self.rejected = rejected
    }
  }

  package var conditions: [Condition]
  package var proxies: Proxies

  package init(conditions: [Condition], proxies: Proxies) {
    self.conditions = conditions
    self.proxies = proxies
  }
}
