// SPDX-License-Identifier: Apache-2.0

/// Bytes that no log, page, error or dump may show: every way to print them gives `[redacted]`.
package struct SensitiveBytes: Hashable, Sendable {
  /// For the one who sends or checks them, and for nobody else.
  package let exposed: [UInt8]

  /// What stands in the place of what must not be seen, here as in Envoy's own dumps.
  package static let placeholder = "[redacted]"

  package init(_ bytes: [UInt8]) { exposed = bytes }
}

extension SensitiveBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { Self.placeholder }
  package var debugDescription: String { Self.placeholder }
  package var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}
