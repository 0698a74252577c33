// SPDX-License-Identifier: Apache-2.0

/// One step from a message to a value inside it.
package enum PathComponent: Hashable, Sendable {
  /// A field, by the name the user wrote or, on the way out, its proto name.
  case field(String)
  /// An element of a repeated field, from zero.
  case index(Int)
  /// An entry of a map field, by its key as text.
  case key(String)
}

/// Why a value does not fit its message type, and where.
///
/// The path starts at the message that was handed in; callers put their own path before it.
/// The reason is lower case, without a full stop, and names the remedy when one is known.
package struct ReflectionError: Error, Hashable, Sendable, CustomStringConvertible {
  package var path: [PathComponent]
  package var reason: String

  package init(at path: [PathComponent] = [], _ reason: String) {
    self.path = path
    self.reason = reason
  }

  /// `configs[2].typed_config.vm_config: reason`, or the reason alone at the top.
  package var description: String {
    path.isEmpty ? reason : "\(path.text): \(reason)"
  }
}

extension [PathComponent] {
  /// The path as users read it: `a.b[2].c["key"]`.
  package var text: String {
    var text = ""
    for component in self {
      switch component {
      case .field(let name): text += text.isEmpty ? name : ".\(name)"
      case .index(let index): text += "[\(index)]"
      case .key(let key): text += "[\"\(key)\"]"
      }
    }
    return text
  }
}
