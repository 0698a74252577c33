// SPDX-License-Identifier: Apache-2.0

/// The text of an image pull secret, which whatever prints it prints as `<redacted>`.
package struct PullSecret: Hashable, Sendable {
  /// A `.dockerconfigjson`; the only way to it, so that a reader sees each use.
  package let revealed: String

  package init(_ text: String) { revealed = text }
}

extension PullSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
