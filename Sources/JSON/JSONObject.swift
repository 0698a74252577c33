// SPDX-License-Identifier: Apache-2.0

import OrderedCollections

/// The members of a JSON object, in the order in which they were given.
package struct JSONObject: Hashable, Sendable {
  private var members: OrderedDictionary<String, JSONValue> = [:]

  package init() {}

  package var count: Int { members.count }
  package var isEmpty: Bool { members.isEmpty }
  package var keys: [String] { Array(members.keys) }

  /// The value of a key; setting keeps the place of a key that is there already.
  package subscript(key: String) -> JSONValue? {
    get { members[key] }
    set { members[key] = newValue }
  }

  /// Puts a member before all others, where `@type` belongs.
  package mutating func insertFirst(_ value: JSONValue, forKey key: String) {
    members.updateValue(value, forKey: key, insertingAt: 0)
  }

  package mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }
}

extension JSONObject: Sequence {
  package struct Iterator: IteratorProtocol {
    fileprivate var base: OrderedDictionary<String, JSONValue>.Iterator

    package mutating func next() -> (key: String, value: JSONValue)? { base.next() }
  }

  package func makeIterator() -> Iterator { Iterator(base: members.makeIterator()) }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { members[key] = value }
  }
}
