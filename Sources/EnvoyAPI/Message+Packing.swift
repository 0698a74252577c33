// SPDX-License-Identifier: Apache-2.0

package import SwiftProtobuf

/// Bytes that depend on a message's value alone.
///
/// Versions are hashes of bytes, so equal messages must be equal bytes in every process. Protobuf
/// promises no such thing: a map is written in the order in which it is stored, and Swift's
/// dictionaries shuffle theirs in each process.
///
/// https://protobuf.dev/programming-guides/serialization-not-canonical/
extension Message {
  /// The type URL under which Envoy knows this message, such as
  /// `type.googleapis.com/envoy.config.cluster.v3.Cluster`.
  package static var typeURL: String { "type.googleapis.com/\(protoMessageName)" }

  /// The serialised message, with the entries of every map in the order of their keys.
  ///
  /// An `Any` inside is written as it is, so it must come from `packed()` too; SwiftProtobuf's
  /// own `Google_Protobuf_Any(message:)` serialises late and without order.
  package func deterministicBytes() -> [UInt8] { serializedInOrder() }

  /// An `Any` that holds `deterministicBytes()` of this message.
  package func packed() -> Google_Protobuf_Any {
    Google_Protobuf_Any.with {
      $0.typeURL = Self.typeURL
      $0.value = serializedInOrder()
    }
  }

  private func serializedInOrder<Bytes: SwiftProtobufContiguousBytes>() -> Bytes {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    do {
      return try serializedBytes(options: options)
    } catch {
      // Only proto2 messages lack required fields, only decoded JSON has an Any without bytes,
      // and configuration is bounded far below protobuf's limit of 2 GiB.
      preconditionFailure("a \(Self.protoMessageName) that we built must serialise: \(error)")
    }
  }
}
