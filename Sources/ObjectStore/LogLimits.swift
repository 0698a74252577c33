// SPDX-License-Identifier: Apache-2.0

/// How far back the log of changes reaches: what a watch may lag behind, and what that costs.
package struct LogLimits: Hashable, Sendable {
  package var changes: Int
  /// Of the objects' text; large objects that change often would cost without end.
  package var bytes: Int

  package init(changes: Int = 10_000, bytes: Int = 64 << 20) {
    self.changes = changes
    self.bytes = bytes
  }
}
