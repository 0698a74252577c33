// SPDX-License-Identifier: Apache-2.0

import JSON
import ObjectStore

/// A page of a collection.
struct Page {
  var objects: [JSONValue]
  var revision: Revision
  var next: String?
  var remaining: Int?
}
