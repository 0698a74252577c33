// SPDX-License-Identifier: Apache-2.0

/// Finds what a user most likely meant by a name that does not exist.
///
/// Distance is optimal string alignment over bytes: insert, delete, replace, and swap of
/// neighbours cost one each. Comparison ignores case and underscores first, so that `vmConfig`,
/// `vm_config` and `VmConfig` are near.
package enum NearestName {
  /// The candidate nearest to `name`, or nil when none is near enough to be a likely typo.
  ///
  /// Ties go to the first candidate, so the answer depends only on the order of candidates.
  package static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
    let target = folded(name)
    // A third of the name may be wrong; more is another word, not a typo.
    var limit = max(1, min(4, target.count / 3))
    var best: String?
    for candidate in candidates {
      let bytes = folded(candidate)
      guard let distance = distance(target, bytes, limit: limit) else { continue }
      if distance == 0 { return candidate }
      best = candidate
      limit = distance - 1
    }
    return best
  }

  /// The distance between two byte strings, or nil when it is more than `limit`.
  static func distance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int? {
    guard abs(a.count - b.count) <= limit else { return nil }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    var current = last
    for i in 0..<a.count {
      current[0] = i + 1
      var rowMinimum = current[0]
      for j in 0..<b.count {
        var cost = min(last[j + 1] + 1, current[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        current[j + 1] = cost
        rowMinimum = min(rowMinimum, cost)
      }
      guard rowMinimum <= limit else { return nil }
      (beforeLast, last, current) = (last, current, beforeLast)
    }
    return last[b.count] <= limit ? last[b.count] : nil
  }

  private static func folded(_ name: String) -> [UInt8] {
    name.utf8.compactMap { byte in
      switch byte {
      case UInt8(ascii: "_"): nil
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
      default: byte
      }
    }
  }
}
