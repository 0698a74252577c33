// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// A response that a stream wants to send: which resources, not their bytes on the wire.
///
/// Everything but the nonce is the same for all streams that send the same resources, so the server
/// encodes once per `key` and shares the bytes.
package struct Response: Sendable {
  /// Names the shared part by its content: equal keys mean equal bytes, whatever stream, proxy class
  /// or snapshot they come from.
  package struct Key: Hashable, Sendable {
    let typeURL: TypeURL
    let version: ContentHash
    let contents: ContentHash
  }

  package let typeURL: TypeURL
  package let nonce: Nonce
  /// The version_info: a hash over all that the subscription selects, also if only a part is sent.
  ///
  /// So a client that comes back with it, on a new stream or to a restarted server, shows that it
  /// has everything.
  package let version: ContentHash
  let selection: Selection
  /// Sorted; nil for the whole selection.
  let names: [String]?

  /// What goes out, in name order; to be asked only when the encoded bytes are not there yet.
  package var resources: [EncodedResource] {
    names?.compactMap { selection[$0] } ?? selection.resources
  }

  package var key: Key {
    guard let names else {
      return Key(typeURL: typeURL, version: version, contents: selection.version)
    }
    var hasher = ContentHash.Hasher()
    for name in names {
      guard let resource = selection[name] else { continue }
      hasher.combine(name)
      hasher.combine(resource.version)
    }
    return Key(typeURL: typeURL, version: version, contents: hasher.finalize())
  }
}
