// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Routes of a virtual host, encoded.
final class RouteList: Equatable, Sendable {
  struct Element: Equatable {
    let bytes: [UInt8]
    /// Nothing behind it is ever reached.
    let isCatchAll: Bool
  }

  let elements: [Element]

  init(_ routes: [Envoy.Route]) {
    elements = routes.map { Element(bytes: $0.deterministicBytes(), isCatchAll: $0.isCatchAll) }
  }

  var isEmpty: Bool { elements.isEmpty }

  static func == (left: RouteList, right: RouteList) -> Bool {
    left === right || left.elements == right.elements
  }
}

/// The routes of one VirtualService, as one gateway or the sidecars see it on one port.
struct VirtualServiceRoutes: Piece {
  struct Key: Hashable {
    let object: ObjectIdentifier
    let gateway: String
    let port: UInt16
    let isTLS: Bool
  }

  struct Argument: Equatable {
    let object: ResolvedVirtualService
    /// The port that requests come in on, by which `match.port` selects.
    let port: UInt16
    /// The gateway's `namespace/name`, or `mesh`.
    let gateway: String
    /// Whether requests come in over TLS, which ends here.
    let isTLS: Bool
    /// What the gateway puts on all routes through it.
    let gatewayPlugins: [PluginReference]
    /// The services that the routes name.
    let destinations: RouteDestinations
    let surroundings: Shared<Surroundings>
  }

  let list: RouteList
  /// The VirtualService, its delegates, and the rules that decide about something in the routes.
  let origins: [Origin]
  let problems: [ConfigError]

  init(_ argument: Argument) {
    var builder = HTTPRoutes(argument)
    list = RouteList(builder.routes())
    origins = argument.object.origins + builder.ruleOrigins
    problems = builder.problems
  }
}

/// The route to a service for which no VirtualService has one.
struct DefaultRoutes: Piece {
  struct Argument: Equatable {
    let hostname: String
    let port: UInt16
    let entry: DestinationRuleIndex.Entry?
    let surroundings: Shared<Surroundings>
  }

  let list: RouteList
  /// The rules that decide about something in the route.
  let origins: [Origin]

  init(_ argument: Argument) {
    let policies = argument.entry?.hashPolicy(port: argument.port, subset: "") ?? []
    let route = Envoy.Route.with {
      $0.name = "default"
      $0.match.prefix = "/"
      $0.route.cluster = ClusterName.outbound(port: argument.port, host: argument.hostname)
      $0.route.timeout = Google_Protobuf_Duration()
      $0.route.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration()
      if let policy = RetryPolicy.policy(nil, argument.surroundings.value.meshConfig) {
        $0.route.retryPolicy = policy
      }
      $0.route.hash(by: policies)
    }
    list = RouteList([route])
    origins = policies.isEmpty ? [] : argument.entry?.origins ?? []
  }
}
