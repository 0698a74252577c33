// SPDX-License-Identifier: Apache-2.0

package import JSON
import MeshModel

/// Compares two JSON trees field by field.
///
/// Elements of lists are compared with those that they come from (`ListAlignment`), so that an
/// insertion is one added element and no change of all that follow.
package struct TreeComparison {
  private var found: [FieldChange] = []

  /// All differences, in the order of the old tree, what is new behind it.
  package static func changes(from old: JSONValue, to new: JSONValue) -> [FieldChange] {
    var comparison = Self()
    comparison.compare(old, new, Place(old: FieldPath(), new: FieldPath()))
    return comparison.found
  }

  /// Where one thing stands in both trees.
  private struct Place {
    var old: FieldPath
    var new: FieldPath

    subscript(field: String) -> Self { Self(old: old[field], new: new[field]) }
  }

  private mutating func compare(_ old: JSONValue, _ new: JSONValue, _ place: Place) {
    guard old != new else { return }
    switch (old, new) {
    case (.object(let old), .object(let new)): compare(old, new, place)
    case (.array(let old), .array(let new)): compare(old, new, place)
    default: found.append(FieldChange(place.new, .changed(from: old, to: new)))
    }
  }

  private mutating func compare(_ old: JSONObject, _ new: JSONObject, _ place: Place) {
    for (key, former) in old {
      if let value = new[key] {
        compare(former, value, place[key])
      } else {
        found.append(FieldChange(place.old[key], .removed(former)))
      }
    }
    for (key, value) in new where old[key] == nil {
      found.append(FieldChange(place.new[key], .added(value)))
    }
  }

  private mutating func compare(_ old: [JSONValue], _ new: [JSONValue], _ place: Place) {
    let alignment = ListAlignment(from: old, to: new)
    for (position, element) in new.enumerated() {
      guard let former = alignment.origins[position] else {
        found.append(FieldChange(place.new[position], .added(element)))
        continue
      }
      if alignment.moved.contains(position) {
        found.append(FieldChange(place.new[position], .moved(from: place.old[former])))
      }
      compare(old[former], element, Place(old: place.old[former], new: place.new[position]))
    }
    for position in alignment.removed {
      found.append(FieldChange(place.old[position], .removed(old[position])))
    }
  }
}
