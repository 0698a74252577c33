// SPDX-License-Identifier: Apache-2.0

import JSON

/// What a write came to.
struct WriteOutcome {
  var object: JSONValue
  var isNew = false
  var warnings: [String] = []
}
