// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The objects of one kind, oldest first: the same for whatever order they came in.
///
/// Two lists are equal where one is a copy of the other that nobody has changed, which takes one look.
struct ObjectList<Object: ConfigObject>: Equatable, Sendable {
  private var objects: [Object] = []
  private var stamp = Stamp()

  static func == (left: Self, right: Self) -> Bool { left.stamp == right.stamp }

  /// Takes over what has changed of the kind; nil stands for an object that is gone.
  mutating func update(_ changes: [(ref: ObjectRef, object: Object?)]) {
    guard !changes.isEmpty else { return }
    stamp = Stamp()
    // Each move of an object counts dozens of references, so that of many only positions are sorted.
    guard changes.count > 8 else {
      for change in changes { update(change.ref, change.object) }
      return
    }
    let refs = Set(changes.map(\.ref))
    let all = objects.filter { !refs.contains($0.ref) } + changes.compactMap(\.object)
    objects = all.indices.sorted { Object.precedesByAge(all[$0], all[$1]) }.map { all[$0] }
  }

  private mutating func update(_ ref: ObjectRef, _ object: Object?) {
    let former = objects.firstIndex {
      $0.meta.name == ref.name && $0.meta.namespace == ref.namespace
    }
    if let former, let object,
      objects[former].meta.creationTimestamp == object.meta.creationTimestamp
    {
      objects[former] = object
      return
    }
    if let former { objects.remove(at: former) }
    guard let object else { return }
    var range = objects.indices
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      range =
        Object.precedesByAge(objects[middle], object)
        ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    objects.insert(object, at: range.lowerBound)
  }
}

extension ObjectList: RandomAccessCollection {
  var startIndex: Int { 0 }
  var endIndex: Int { objects.count }
  subscript(position: Int) -> Object { objects[position] }

  /// The elements without a copy.
  var array: [Object] { objects }
}
