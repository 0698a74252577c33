// SPDX-License-Identifier: Apache-2.0

/// Where in an object: `spec.configPatches[2].patch.value`.
package struct FieldPath: Hashable, Sendable {
  package enum Component: Hashable, Sendable {
    case field(String)
    case index(Int)
  }

  package var components: [Component]

  package init(_ components: [Component] = []) { self.components = components }

  /// A path of field names only: `FieldPath("spec", "url")`.
  package init(_ fields: String...) { components = fields.map(Component.field) }

  package subscript(field: String) -> Self { Self(components + [.field(field)]) }
  package subscript(index: Int) -> Self { Self(components + [.index(index)]) }

  package static func + (left: Self, right: Self) -> Self {
    Self(left.components + right.components)
  }

  package var parent: Self? { components.isEmpty ? nil : Self(components.dropLast()) }
}

extension FieldPath: Comparable {
  package static func < (left: Self, right: Self) -> Bool {
    left.description < right.description
  }
}

extension FieldPath: CustomStringConvertible {
  /// Field names that are no plain identifiers print quoted, as in `labels["app.kubernetes.io/name"]`.
  package var description: String {
    var text = ""
    for component in components {
      switch component {
      case .index(let index): text += "[\(index)]"
      case .field(let name) where Self.isPlain(name):
        text += text.isEmpty ? name : ".\(name)"
      case .field(let name): text += "[\"\(name)\"]"
      }
    }
    return text
  }

  private static func isPlain(_ name: String) -> Bool {
    // Without Unicode's tables for what nearly all names are: paths are compared by their text.
    name.utf8.allSatisfy(isPlain)
      || name.allSatisfy { $0.isLetter || $0.isNumber || "_-@".contains($0) }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "@"):
      true
    default: false
    }
  }
}
