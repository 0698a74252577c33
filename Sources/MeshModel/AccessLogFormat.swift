// SPDX-License-Identifier: Apache-2.0

package import JSON

/// The text of `meshConfig.accessLogFormat`.
package enum AccessLogFormat {
  /// The object of a format in JSON; nil where it is none.
  package static func json(_ text: String) -> JSONObject? {
    try? JSONValue(parsing: Array(text.utf8)).objectMembers
  }
}
