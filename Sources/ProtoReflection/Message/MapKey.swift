// SPDX-License-Identifier: Apache-2.0

/// A key of a map field; all integer kinds of protobuf are one of two here.
package enum MapKey: Hashable, Sendable, Comparable {
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case string(String)

  /// As JSON writes it, where all keys are strings.
  package var text: String {
    switch self {
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .string(let value): value
    }
  }

  /// The order in which maps are serialised and printed; strings compare by their bytes.
  package static func < (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.bool(let a), .bool(let b)): !a && b
    case (.integer(let a), .integer(let b)): a < b
    case (.unsigned(let a), .unsigned(let b)): a < b
    case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
    default: a.rank < b.rank
    }
  }

  /// Keys of one map are of one case; between cases any fixed order will do.
  private var rank: Int {
    switch self {
    case .bool: 0
    case .integer: 1
    case .unsigned: 2
    case .string: 3
    }
  }
}
