// SPDX-License-Identifier: Apache-2.0

/// Who changed an object, and when.
package struct Authorship: Hashable, Sendable {
  /// The field manager; empty where nobody knows.
  package var manager: String
  /// The client, as it names itself; empty where it does not.
  package var userAgent: String
  /// Seconds since the Unix epoch; nil where nobody knows.
  package var time: Int64?

  package init(manager: String, userAgent: String, time: Int64?) {
    self.manager = manager
    self.userAgent = userAgent
    self.time = time
  }

  /// Of what was written before there was a history.
  static let unknown = Self(manager: "", userAgent: "", time: nil)
}
