// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What the routes of a VirtualService need to know of the services that they name.
final class RouteDestinations: Piece, Equatable {
  struct Argument: Equatable {
    let object: ResolvedVirtualService
    let services: ServiceIndex
    let rules: DestinationRuleIndex
    let surroundings: Shared<Surroundings>
  }

  struct Destination: Equatable {
    /// The full host name.
    let host: String
    /// Nil where the proxy sees no such service.
    let ports: [Service.Port]?
    /// Whether there is one that the proxy may not use.
    let isHidden: Bool
    /// What DestinationRules say about the service.
    let entry: DestinationRuleIndex.Entry?
  }

  let all: [Destination]

  init(_ argument: Argument) {
    let namespace = argument.surroundings.value.proxy.namespace
    let policies = DestinationPolicies(argument.rules, argument.surroundings.value)
    all = argument.object.destinations.map { host in
      let service = argument.services.service(named: host, visibleIn: namespace)
      return Destination(
        host: host, ports: service?.ports,
        isHidden: service == nil && argument.services.contains(host),
        entry: service.flatMap(policies.entry))
    }
  }

  static func == (left: RouteDestinations, right: RouteDestinations) -> Bool {
    left === right || left.all == right.all
  }
}
