// SPDX-License-Identifier: Apache-2.0

/// A part of a result, made from its argument and from nothing else.
///
/// This is what makes it sound to keep one. As its initialiser sees nothing but the argument, all that
/// it depends on is there; no list of what might matter can be incomplete.
package protocol Piece: Sendable {
  associatedtype Argument: Equatable, Sendable

  init(_ argument: Argument)
}

/// The pieces of the last round (a snapshot, a translation), by a name for each.
///
/// A piece whose argument is what it was is taken as it is; any other is made anew. What a round does
/// not ask for is forgotten at its end, so there is never more than one round's worth.
package struct Pieces<Key: Hashable & Sendable, Part: Piece>: Sendable {
  /// A class, so that looking at one counts one reference.
  private final class Entry: Sendable {
    let key: Key
    let argument: Part.Argument
    let part: Part

    init(_ key: Key, _ argument: Part.Argument) {
      self.key = key
      self.argument = argument
      part = Part(argument)
    }
  }

  private var entries: [Entry] = []
  /// For each entry, the round that asked for it last.
  private var rounds: [UInt64] = []
  private var positions: [Key: Int] = [:]
  private var round: UInt64 = 0
  private var used = 0

  package init() {}

  package mutating func part(_ key: Key, _ argument: Part.Argument) -> Part {
    guard let position = positions[key] else {
      let entry = Entry(key, argument)
      positions[key] = entries.count
      entries.append(entry)
      rounds.append(round)
      used += 1
      return entry.part
    }
    var entry = entries[position]
    if entry.argument != argument {
      entry = Entry(key, argument)
      entries[position] = entry
    }
    if rounds[position] != round {
      rounds[position] = round
      used += 1
    }
    return entry.part
  }

  /// Ends a round.
  package mutating func forgetUnused() {
    var position = used < entries.count ? 0 : entries.count
    while position < entries.count {
      guard rounds[position] != round else {
        position += 1
        continue
      }
      positions[entries[position].key] = nil
      let (last, lastRound) = (entries.removeLast(), rounds.removeLast())
      guard position < entries.count else { break }
      entries[position] = last
      rounds[position] = lastRound
      positions[last.key] = position
    }
    round += 1
    used = 0
  }
}

/// The one piece of its kind that a result has.
package struct Latest<Part: Piece>: Sendable {
  private var last: (argument: Part.Argument, part: Part)?

  package init() {}

  package mutating func part(_ argument: Part.Argument) -> Part {
    if let last, last.argument == argument { return last.part }
    let part = Part(argument)
    last = (argument, part)
    return part
  }
}

/// Equal to its copies and to nothing else: for what is dear to compare and changes as a whole.
package struct Stamp: Equatable, Sendable {
  private final class Address: Sendable {}

  private let address = Address()

  package init() {}

  package static func == (left: Stamp, right: Stamp) -> Bool { left.address === right.address }
}

/// A value that many arguments hold: compared by its address before it is compared by what it is.
package final class Shared<Value: Equatable & Sendable>: Equatable, Sendable {
  package let value: Value

  package init(_ value: Value) { self.value = value }

  /// The former object where it has the same value, so that those who hold it see so at once.
  package static func keeping(_ former: Shared?, _ value: Value) -> Shared {
    if let former, former.value == value { return former }
    return Shared(value)
  }

  package static func == (left: Shared, right: Shared) -> Bool {
    left === right || left.value == right.value
  }
}
