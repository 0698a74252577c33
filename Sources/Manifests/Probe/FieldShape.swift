// SPDX-License-Identifier: Apache-2.0

/// What may be written at a place of an object, as far as its decoder looks at it.
package indirect enum FieldShape: Hashable, Sendable {
  /// Members by name; others are unknown fields.
  case object([String: FieldShape])
  case list(FieldShape)
  case string
  case boolean
  case integer
  case number
  /// A string that is one of these.
  case enumeration([String])
  /// A string such as `1h2m3.5s`.
  case duration
  /// Anything: members that nobody checks, or a field that is not acted on.
  case any
}
