// SPDX-License-Identifier: Apache-2.0

import JSON

/// A change of an object that is sent as a difference.
enum Patch {
  case json(JSONPatch)
  case merge(JSONValue)
  case strategic(JSONValue)
  case apply(JSONValue)
}
