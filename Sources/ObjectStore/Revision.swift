// SPDX-License-Identifier: Apache-2.0

/// The number of a change: grows by one with each, across restarts, and is an object's
/// `resourceVersion` on the wire.
package struct Revision: Hashable, Comparable, Sendable {
  package let number: UInt64

  package init(_ number: UInt64) { self.number = number }

  /// Reads a `resourceVersion`; nil for what this server never wrote.
  package init?(_ text: String) {
    guard let number = UInt64(text) else { return nil }
    self.number = number
  }

  package var next: Self { Self(number + 1) }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

extension Revision: CustomStringConvertible {
  package var description: String { "\(number)" }
}
