// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A protobuf message written by hand: which fields, in which order, with what around them.
///
/// The oracle of the rewriting: a resource and what must become of it are the same tree with another
/// branch, so that every byte besides is known.
indirect enum WireTree {
  case text(UInt64, String)
  case bytes(UInt64, [UInt8])
  case number(UInt64, UInt64)
  case message(UInt64, [WireTree])
  /// Bytes that are fields already.
  case raw([UInt8])

  var encoded: [UInt8] {
    switch self {
    case .text(let number, let text): Self.field(number, Array(text.utf8))
    case .bytes(let number, let bytes): Self.field(number, bytes)
    case .number(let number, let value): Self.varint(number << 3) + Self.varint(value)
    case .message(let number, let fields): Self.field(number, fields.encoded)
    case .raw(let bytes): bytes
    }
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
  }

  private static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
  }
}

extension [WireTree] {
  var encoded: [UInt8] { flatMap(\.encoded) }

  /// The fields in any order, with fields of every wire type between them that nobody knows.
  func disordered(_ random: inout SeededGenerator) -> [WireTree] {
    var result = shuffled(using: &random)
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      result.insert(
        .raw(Self.unknownField(&random)), at: Int.random(in: 0...result.count, using: &random))
    }
    return result
  }

  private static func unknownField(_ random: inout SeededGenerator) -> [UInt8] {
    let number = UInt64.random(in: 900...100_000, using: &random)
    func tag(_ type: UInt64) -> [UInt8] { WireTree.varint(number << 3 | type) }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return tag(0) + WireTree.varint(random.next())
    // A number may be written in more bytes than it needs; it must come out so.
    case 1: return tag(0) + [0x81, 0x80, 0x80, 0x00]
    case 2: return tag(1) + [1, 2, 3, 4, 5, 6, 7, 8]
    case 3: return tag(5) + [1, 2, 3, 4]
    case 4: return tag(3) + tag(3) + [0x08, 0x01] + tag(4) + tag(4)
    default:
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      return WireTree.bytes(number, bytes).encoded
    }
  }
}

/// Shorthands for the messages on the way to a Wasm plugin.
extension WireTree {
  static func any(_ number: UInt64, _ type: String, _ value: [WireTree]) -> WireTree {
    .message(number, [.text(1, "type.googleapis.com/\(type)"), .message(2, value)])
  }

  /// A member of a Struct: `fields` entry, key, value.
  static func member(_ name: String, _ value: WireTree) -> WireTree {
    .message(1, [.text(1, name), .message(2, [value])])
  }

  static func object(_ members: [WireTree]) -> WireTree { .message(5, members) }

  static func string(_ text: String) -> WireTree { .text(3, text) }

  static let httpWasm = "envoy.extensions.filters.http.wasm.v3.Wasm"
  static let networkWasm = "envoy.extensions.filters.network.wasm.v3.Wasm"
  static let connectionManager =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
  static let httpRBAC = "envoy.extensions.filters.http.rbac.v3.RBAC"
  static let networkRBAC = "envoy.extensions.filters.network.rbac.v3.RBAC"

  static let remoteCode = WireTree.message(
    2,
    [
      .message(
        1, [.text(1, "http://modules/a.wasm"), .text(2, "_"), .message(3, [.number(1, 30)])]),
      .text(2, "ab12"),
    ])

  static func localCode(_ path: String) -> WireTree { .message(1, [.text(1, path)]) }

  static func variable(_ name: String, _ value: String) -> WireTree {
    .message(2, [.text(1, name), .text(2, value)])
  }

  /// A `Wasm` message with its code, and the variables of its environment where there are any.
  static func wasm(code: [WireTree], variables: [WireTree] = []) -> [WireTree] {
    var vm: [WireTree] = [.text(2, "envoy.wasm.runtime.v8"), .message(3, code)]
    if !variables.isEmpty { vm.append(.message(7, variables)) }
    return [.message(1, [.text(1, "ns.p"), .message(3, vm), .number(7, 2)])]
  }
}
