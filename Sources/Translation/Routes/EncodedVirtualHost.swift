// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// A virtual host as it goes into its route configuration.
///
/// The bytes are those that the whole message would have: what is in front of the routes, the routes,
/// what is behind them, by the numbers of the fields.
final class EncodedVirtualHost: Piece, Equatable {
  struct Argument: Equatable {
    var name: String
    var domains: [String]
    /// One after another, but for those that match everything, which come last.
    var lists: [RouteList] = []
    var requiresTLS = false
    /// Tells servers how often a request has been tried.
    var countsAttempts = true
  }

  let name: String
  let domains: [String]
  let bytes: [UInt8]

  init(_ argument: Argument) {
    name = argument.name
    domains = argument.domains
    let front = Envoy.VirtualHost.with {
      $0.name = argument.name
      $0.domains = argument.domains
    }
    let back = Envoy.VirtualHost.with {
      if argument.requiresTLS { $0.requireTls = .all }
      $0.includeRequestAttemptCount = argument.countsAttempts
    }
    let elements = argument.lists.flatMap(\.elements)
    // One that only other such routes follow stays where it is either way.
    let ordered = elements.filter { !$0.isCatchAll } + elements.filter(\.isCatchAll)
    bytes =
      front.deterministicBytes()
      + LengthDelimited.fields(Envoy.VirtualHost.routesField, ordered.map(\.bytes))
      + back.deterministicBytes()
  }

  init(_ message: Envoy.VirtualHost) {
    name = message.name
    domains = message.domains
    bytes = message.deterministicBytes()
  }

  static func == (left: EncodedVirtualHost, right: EncodedVirtualHost) -> Bool {
    left === right || left.bytes == right.bytes
  }
}

/// RDS: a route configuration put together from encoded virtual hosts.
struct EncodedRouteConfiguration: Piece {
  struct Argument: Equatable {
    /// Everything but the virtual hosts.
    let head: Envoy.RouteConfiguration
    let hosts: [EncodedVirtualHost]
    let origins: [Origin]
  }

  let resource: EncodedResource

  init(_ argument: Argument) {
    let front = Envoy.RouteConfiguration.with { $0.name = argument.head.name }
    var back = argument.head
    back.name = ""
    resource = EncodedResource(
      typeURL: .route, name: argument.head.name,
      bytes: front.deterministicBytes()
        + LengthDelimited.fields(
          Envoy.RouteConfiguration.virtualHostsField, argument.hosts.map(\.bytes))
        + back.deterministicBytes(),
      origins: argument.origins)
  }
}

extension Envoy.VirtualHost {
  /// `repeated Route routes`.
  fileprivate static let routesField: UInt8 = 3
}

extension Envoy.RouteConfiguration {
  /// `repeated VirtualHost virtual_hosts`.
  fileprivate static let virtualHostsField: UInt8 = 2
}

/// Protobuf's wire type 2: messages that are bytes already, as the elements of a repeated field.
///
/// https://protobuf.dev/programming-guides/encoding/#length-types
enum LengthDelimited {
  /// The elements of a field whose number is below 16, so that its tag is one byte.
  static func fields(_ field: UInt8, _ messages: [[UInt8]]) -> [UInt8] {
    let longestLength = 5
    var bytes: [UInt8] = []
    bytes.reserveCapacity(messages.reduce(0) { $0 + $1.count + 1 + longestLength })
    for message in messages {
      bytes.append(field << 3 | 2)
      var length = message.count
      while length >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
        length >>= 7
      }
      bytes.append(UInt8(length))
      bytes += message
    }
    return bytes
  }
}
