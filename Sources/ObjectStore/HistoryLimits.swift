// SPDX-License-Identifier: Apache-2.0

/// How much of the past is kept: the oldest goes first, and what objects are now does not count.
package struct HistoryLimits: Hashable, Sendable {
  /// Entries of one name, the present one among them.
  package var entries: Int
  /// Of the text of former objects, in all.
  package var bytes: Int

  package init(entries: Int = 20, bytes: Int = 16 << 20) {
    self.entries = entries
    self.bytes = bytes
  }
}
