// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What differs between two resource sets, found by walking both in name order.
///
/// This runs once for each stream and push, so it looks nothing up.
struct SetDifference {
  /// Names of the newer set that are new or have another version; sorted.
  private(set) var changed: [String] = []
  /// Names that only the older set has; sorted.
  private(set) var gone: [String] = []
  /// Whether both sets have the same names.
  private(set) var hasSameNames = true

  init(from older: ResourceSet, to newer: ResourceSet) {
    if older.version == newer.version { return }
    var (left, right) = (0, 0)
    while left < older.resources.count && right < newer.resources.count {
      if older.resources[left].name == newer.resources[right].name {
        if older.resources[left].version != newer.resources[right].version {
          changed.append(newer.resources[right].name)
        }
        left += 1
        right += 1
      } else if older.resources[left].name < newer.resources[right].name {
        gone.append(older.resources[left].name)
        left += 1
      } else {
        hasSameNames = false
        changed.append(newer.resources[right].name)
        right += 1
      }
    }
    gone += older.resources[left...].map(\.name)
    if right < newer.resources.count { hasSameNames = false }
    changed += newer.resources[right...].map(\.name)
    if !gone.isEmpty { hasSameNames = false }
  }
}

extension ResourceSet {
  /// Whether both are one value, by their storage; false does not mean that they differ.
  func isIdentical(to other: ResourceSet) -> Bool {
    resources.withUnsafeBufferPointer { left in
      other.resources.withUnsafeBufferPointer { right in
        left.baseAddress == right.baseAddress && left.count == right.count
      }
    }
  }
}
