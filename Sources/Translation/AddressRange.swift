// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An IP address or a network such as `10.0.0.0/8`; equal where it stands for the same addresses.
struct AddressRange: Hashable, CustomStringConvertible {
  /// Four or sixteen; those that do not count are 0.
  private let bytes: [UInt8]
  let length: UInt8
  private let text: Substring

  /// Nil where it is neither.
  init?(_ written: String) {
    let parts = written.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let text = parts.first, let bytes = Self.bytes(of: String(text)) else { return nil }
    let width = UInt8(bytes.count * 8)
    guard let length = parts.count == 1 ? width : UInt8(parts[1]), length <= width else {
      return nil
    }
    self.bytes = bytes.enumerated().map { index, byte in
      let kept = min(max(Int(length) - index * 8, 0), 8)
      return byte & UInt8(truncatingIfNeeded: 0xff00 >> kept)
    }
    self.length = length
    self.text = text
  }

  /// As a listener matches it, with the address as it was written.
  var message: Envoy.CIDRRange {
    Envoy.CIDRRange.with {
      $0.addressPrefix = String(text)
      $0.prefixLen.value = UInt32(length)
    }
  }

  var description: String { isNetwork ? "\(text)/\(length)" : "\(text)" }

  /// Whether it stands for every address: `0.0.0.0` alone is how Istio writes that, too.
  var isEverything: Bool { bytes.allSatisfy { $0 == 0 } && (length == 0 || !isNetwork) }

  /// Whether it stands for several addresses.
  var isNetwork: Bool { Int(length) < bytes.count * 8 }

  static func == (left: Self, right: Self) -> Bool {
    left.length == right.length && left.bytes == right.bytes
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(bytes)
    hasher.combine(length)
  }

  private static func bytes(of text: String) -> [UInt8]? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
    var sixteen = in6_addr()
    if inet_pton(AF_INET6, text, &sixteen) == 1 {
      return withUnsafeBytes(of: sixteen) { Array($0) }
    }
    return nil
  }
}
