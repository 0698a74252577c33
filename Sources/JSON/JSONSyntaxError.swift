// SPDX-License-Identifier: Apache-2.0

/// Why a text is no JSON, with the line and column.
package struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  package var reason: String
  package init(_ reason: String) { self.reason = reason }
  package var description: String { reason }
}
