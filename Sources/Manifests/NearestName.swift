// SPDX-License-Identifier: Apache-2.0

/// Finds the name that a misspelt one was most likely meant to be.
package enum NearestName {
  /// The closest candidate by edit distance, if it is close enough to be a suggestion.
  package static func find(_ name: String, among candidates: some Sequence<String>) -> String? {
    let folded = Array(name.lowercased().utf8)
    guard folded.count <= 64 else { return nil }
    let limit = max(1, folded.count / 3)
    let scored = candidates.map { (distance(folded, Array($0.lowercased().utf8)), $0) }
    guard let best = scored.min(by: <), best.0 <= limit else { return nil }
    return best.1
  }

  /// `; did you mean "selector"?` or nothing.
  package static func hint(for name: String, among candidates: some Sequence<String>) -> String {
    find(name, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  /// Levenshtein's distance, with a swap of neighbours as one step.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var row = [i + 1]
      for (j, b) in right.enumerated() {
        var best = min(last[j] + (a == b ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a == right[j - 1], left[i - 1] == b {
          best = min(best, beforeLast[j - 1] + 1)
        }
        row.append(best)
      }
      (beforeLast, last) = (last, row)
    }
    return last[right.count]
  }
}
