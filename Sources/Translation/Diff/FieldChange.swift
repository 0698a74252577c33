// SPDX-License-Identifier: Apache-2.0

package import JSON
package import MeshModel

/// One place where two trees differ.
package struct FieldChange: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case added(JSONValue)
    case removed(JSONValue)
    case changed(from: JSONValue, to: JSONValue)
    /// A list element that kept its content but not its place among its neighbours.
    case moved(from: FieldPath)
  }

  /// In the new tree; of what was removed, in the old one.
  package var path: FieldPath
  package var kind: Kind

  package init(_ path: FieldPath, _ kind: Kind) {
    self.path = path
    self.kind = kind
  }
}

extension FieldChange {
  /// `{path, change: added|removed|changed|moved, old, new, from}`, without what does not apply.
  package var json: JSONValue {
    let path = ("path", JSONValue.string("\(path)"))
    return switch kind {
    case .added(let new): .object(pairs: [path, ("change", "added"), ("new", new)])
    case .removed(let old): .object(pairs: [path, ("change", "removed"), ("old", old)])
    case .changed(let old, let new):
      .object(pairs: [path, ("change", "changed"), ("old", old), ("new", new)])
    case .moved(let former):
      .object(pairs: [path, ("change", "moved"), ("from", .string("\(former)"))])
    }
  }
}
