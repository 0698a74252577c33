// SPDX-License-Identifier: Apache-2.0

import JSON

/// Which element of a list became which of another.
///
/// Elements with a `name` are the same where they have the same name, wherever they stand. Others are
/// the same where they are equal in the same order, and between those, where they are more alike than
/// not.
struct ListAlignment {
  /// For each new position the old one; nil for an element that was added.
  private(set) var origins: [Int?]
  /// New positions whose elements stand elsewhere among those that are in both lists.
  private(set) var moved: Set<Int> = []
  /// Old positions.
  private(set) var removed: [Int] = []

  init(from old: [JSONValue], to new: [JSONValue]) {
    origins = Array(repeating: nil, count: new.count)
    if let oldNames = Self.names(old), let newNames = Self.names(new) {
      let positions = Dictionary(uniqueKeysWithValues: zip(oldNames, oldNames.indices))
      origins = newNames.map { positions[$0] }
      moved = Self.outOfOrder(origins)
    } else {
      alignUnnamed(old, new)
    }
    let kept = Set(origins.compactMap(\.self))
    removed = old.indices.filter { !kept.contains($0) }
  }

  private struct Name: Hashable {
    var text: String
    /// Tells apart elements of one name.
    var occurrence: Int
  }

  /// The names of all elements; nil where one has none.
  private static func names(_ elements: [JSONValue]) -> [Name]? {
    var counts: [String: Int] = [:]
    var names: [Name] = []
    for element in elements {
      guard let text = element["name"]?.stringValue else { return nil }
      names.append(Name(text: text, occurrence: counts[text, default: 0]))
      counts[text, default: 0] += 1
    }
    return names
  }

  /// The fewest positions without which the rest is in its old order.
  private static func outOfOrder(_ origins: [Int?]) -> Set<Int> {
    // Patience sorting: the last element of the best ascending run of each length.
    var tails: [Int] = []
    var previous: [Int: Int] = [:]
    for (position, origin) in origins.enumerated() {
      guard let origin else { continue }
      var (low, high) = (0, tails.count)
      while low < high {
        let middle = (low + high) / 2
        if let tail = origins[tails[middle]], tail < origin {
          low = middle + 1
        } else {
          high = middle
        }
      }
      if low > 0 { previous[position] = tails[low - 1] }
      if low == tails.count { tails.append(position) } else { tails[low] = position }
    }
    var moved = Set(origins.indices.filter { origins[$0] != nil })
    var next = tails.last
    while let position = next {
      moved.remove(position)
      next = previous[position]
    }
    return moved
  }

  private mutating func alignUnnamed(_ old: [JSONValue], _ new: [JSONValue]) {
    let difference = new.difference(from: old)
    var (gone, come): (Set<Int>, Set<Int>) = ([], [])
    for change in difference {
      switch change {
      case .remove(let position, _, _): gone.insert(position)
      case .insert(let position, _, _): come.insert(position)
      }
    }
    // Equal elements are anchors; what is between two of them is aligned by likeness.
    var (oldPosition, newPosition) = (0, 0)
    while oldPosition < old.count || newPosition < new.count {
      let (oldStart, newStart) = (oldPosition, newPosition)
      while gone.contains(oldPosition) { oldPosition += 1 }
      while come.contains(newPosition) { newPosition += 1 }
      alignGap(old, oldStart..<oldPosition, new, newStart..<newPosition)
      guard oldPosition < old.count, newPosition < new.count else { continue }
      origins[newPosition] = oldPosition
      oldPosition += 1
      newPosition += 1
    }
  }

  /// More pairs than this are not compared: what was replaced as a whole is not worth it.
  private static let mostComparisons = 4096

  /// The pairing that keeps the order and is most alike in sum.
  private mutating func alignGap(
    _ old: [JSONValue], _ oldRange: Range<Int>, _ new: [JSONValue], _ newRange: Range<Int>
  ) {
    let (rows, columns) = (oldRange.count, newRange.count)
    guard rows > 0, columns > 0, rows * columns <= Self.mostComparisons else { return }
    let likeness = oldRange.map { row in newRange.map { Likeness.of(old[row], new[$0]) } }
    // best[row][column]: the greatest sum for what begins there.
    var best = Array(repeating: Array(repeating: 0.0, count: columns + 1), count: rows + 1)
    for row in (0..<rows).reversed() {
      for column in (0..<columns).reversed() {
        let apart = max(best[row + 1][column], best[row][column + 1])
        let pair = likeness[row][column]
        best[row][column] =
          pair >= Likeness.threshold ? max(apart, pair + best[row + 1][column + 1]) : apart
      }
    }
    var (row, column) = (0, 0)
    while row < rows, column < columns {
      if best[row][column] == best[row + 1][column] {
        row += 1
      } else if best[row][column] == best[row][column + 1] {
        column += 1
      } else {
        origins[newRange.lowerBound + column] = oldRange.lowerBound + row
        row += 1
        column += 1
      }
    }
  }
}

/// How much two trees have in common, from 0 to 1.
private enum Likeness {
  /// From here on one is a changed form of the other.
  static let threshold = 0.5

  static func of(_ left: JSONValue, _ right: JSONValue) -> Double {
    if left == right { return 1 }
    switch (left, right) {
    case (.object(let left), .object(let right)):
      if let one = left["name"], let other = right["name"], one != other { return 0 }
      let shared = left.reduce(0.0) { sum, member in
        sum + (right[member.key].map { of(member.value, $0) } ?? 0)
      }
      let keys = left.count + right.keys.count { left[$0] == nil }
      return shared / Double(keys)
    case (.array(let left), .array(let right)):
      let shared = zip(left, right).reduce(0.0) { $0 + of($1.0, $1.1) }
      return shared / Double(max(left.count, right.count))
    default: return 0
    }
  }
}
