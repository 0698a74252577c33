// SPDX-License-Identifier: Apache-2.0

/// One xDS resource as it goes over the wire, with its version and who caused it.
package struct EncodedResource: Hashable, Sendable {
  package var typeURL: TypeURL
  package var name: String
  /// The hash of `bytes`.
  package var version: ContentHash
  /// The serialised message, without the surrounding Any.
  package var bytes: [UInt8]
  /// Sorted, without duplicates.
  package var origins: [Origin]

  package init(typeURL: TypeURL, name: String, bytes: [UInt8], origins: [Origin]) {
    self.typeURL = typeURL
    self.name = name
    self.version = ContentHash(of: bytes)
    self.bytes = bytes
    self.origins = origins.sorted().reduce(into: []) { unique, origin in
      if unique.last != origin { unique.append(origin) }
    }
  }
}
