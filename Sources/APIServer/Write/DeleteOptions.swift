// SPDX-License-Identifier: Apache-2.0

import JSON

/// `DeleteOptions`, from the body of a deletion and its parameters.
struct DeleteOptions {
  var isDryRun = false
  var uid: String?
  var resourceVersion: String?
  /// The client, as it names itself.
  var userAgent: String

  init(_ body: JSONValue, _ query: Query, userAgent: String?) {
    self.userAgent = userAgent ?? ""
    isDryRun =
      query.all("dryRun").contains("All")
      || body["dryRun"]?.arrayElements?.contains("All") == true
    uid = body["preconditions"]?["uid"]?.stringValue
    resourceVersion = body["preconditions"]?["resourceVersion"]?.stringValue
  }
}
