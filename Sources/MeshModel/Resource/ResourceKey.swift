// SPDX-License-Identifier: Apache-2.0

/// The identity of an xDS resource.
package struct ResourceKey: Hashable, Sendable {
  package var typeURL: TypeURL
  package var name: String

  package init(typeURL: TypeURL, name: String) {
    self.typeURL = typeURL
    self.name = name
  }
}

extension ResourceKey: CustomStringConvertible {
  /// `LDS 0.0.0.0_8080`.
  package var description: String { "\(typeURL.shortName ?? typeURL.rawValue) \(name)" }
}
