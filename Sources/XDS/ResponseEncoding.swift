// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// The protobuf wire form of envoy.service.discovery.v3.DiscoveryResponse, in two parts.
///
/// The fields of a protobuf message may come in any order, so what differs between streams, the
/// nonce, is written apart from what all streams share, and the two are sent one after the other.
/// See https://protobuf.dev/programming-guides/encoding/
package enum ResponseEncoding {
  // Tags: the field's number and wire type 2, a length and bytes.
  private static let versionInfoTag: UInt8 = 1 << 3 | 2
  private static let resourcesTag: UInt8 = 2 << 3 | 2
  private static let typeURLTag: UInt8 = 4 << 3 | 2
  private static let nonceTag: UInt8 = 5 << 3 | 2
  private static let anyTypeURLTag: UInt8 = 1 << 3 | 2
  private static let anyValueTag: UInt8 = 2 << 3 | 2

  /// The shared part of a response.
  package static func body(of response: Response) -> [UInt8] {
    body(
      versionInfo: "\(response.version)", resources: response.resources, typeURL: response.typeURL)
  }

  /// The fields `version_info`, `resources` and `type_url`.
  package static func body(
    versionInfo: String, resources: [EncodedResource], typeURL: TypeURL
  ) -> [UInt8] {
    let anySizes = resources.map {
      fieldSize($0.typeURL.rawValue.utf8.count) + fieldSize($0.bytes.count)
    }
    let size =
      fieldSize(versionInfo.utf8.count) + fieldSize(typeURL.rawValue.utf8.count)
      + anySizes.reduce(0) { $0 + 1 + varintSize($1) + $1 }
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      var bytes = Output(buffer: buffer)
      bytes.append(versionInfoTag, versionInfo.utf8)
      for (resource, anySize) in zip(resources, anySizes) {
        bytes.append(resourcesTag, length: anySize)
        bytes.append(anyTypeURLTag, resource.typeURL.rawValue.utf8)
        bytes.append(anyValueTag, resource.bytes)
      }
      bytes.append(typeURLTag, typeURL.rawValue.utf8)
      count = bytes.count
    }
  }

  /// The field `nonce`.
  package static func noncePrefix(_ nonce: Nonce) -> [UInt8] {
    let text = nonce.rawValue.utf8
    return [UInt8](unsafeUninitializedCapacity: fieldSize(text.count)) { buffer, count in
      var bytes = Output(buffer: buffer)
      bytes.append(nonceTag, text)
      count = bytes.count
    }
  }

  private static func varintSize(_ value: Int) -> Int {
    value == 0 ? 1 : (Int.bitWidth - value.leadingZeroBitCount + 6) / 7
  }

  /// The bytes of a field; an empty one is left out.
  private static func fieldSize(_ length: Int) -> Int {
    length == 0 ? 0 : 1 + varintSize(length) + length
  }

  /// Appends to memory that was measured before.
  private struct Output {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    init(buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func append(_ tag: UInt8, length: Int) {
      append(tag)
      var rest = UInt64(length)
      while rest >= 0x80 {
        append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      append(UInt8(rest))
    }

    mutating func append(_ tag: UInt8, _ bytes: some Collection<UInt8>) {
      guard !bytes.isEmpty else { return }
      append(tag, length: bytes.count)
      let rest = UnsafeMutableBufferPointer(rebasing: buffer[count...])
      count += rest.initialize(fromContentsOf: bytes)
    }

    private mutating func append(_ byte: UInt8) {
      buffer.initializeElement(at: count, to: byte)
      count += 1
    }
  }
}
