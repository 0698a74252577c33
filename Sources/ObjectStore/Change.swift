// SPDX-License-Identifier: Apache-2.0

import JSON

/// One entry of the change log.
package struct Change: Hashable, Sendable {
  package enum Operation: String, Hashable, Sendable {
    case added
    case modified
    case deleted
  }

  package let operation: Operation
  /// As it is since this change; of a deletion as it was, at the deletion's revision.
  package let object: StoredObject
  /// As it was before; nil for what was added, and where the log does not reach back so far.
  package let previous: StoredObject?
  /// About what it takes in the log, as text.
  let bytes: Int

  init(operation: Operation, object: StoredObject, previous: StoredObject?) {
    self.operation = operation
    self.object = object
    self.previous = previous
    bytes = object.json.approximateSize
  }

  package var revision: Revision { object.revision }
}

extension JSONValue {
  /// Bytes of its text, without escapes.
  fileprivate var approximateSize: Int {
    switch self {
    case .null, .bool, .number: 8
    case .string(let text): text.utf8.count + 2
    case .array(let elements): elements.reduce(2) { $0 + $1.approximateSize + 1 }
    case .object(let members):
      members.reduce(2) { $0 + $1.key.utf8.count + $1.value.approximateSize + 4 }
    }
  }
}
