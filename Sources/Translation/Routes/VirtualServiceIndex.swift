// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// A VirtualService with its names written out in full.
///
/// Kept for as long as the object is the same, so it is compared by its address.
final class ResolvedVirtualService: Piece, Equatable {
  let object: VirtualService
  /// Full host names, without duplicates.
  let hosts: [String]
  /// `namespace/name`, or `mesh` for the sidecars; without duplicates.
  let gateways: [String]
  /// The full names of the hosts that something is routed or copied to, without duplicates.
  let destinations: [String]
  /// The object, and the delegates that its routes were taken from.
  let origins: [Origin]

  init(_ object: VirtualService) {
    func unique(_ names: [String]) -> [String] {
      var seen: Set<String> = []
      return names.filter { seen.insert($0).inserted }
    }
    self.object = object
    let namespace = object.meta.namespace
    hosts = unique(object.hosts.map { Hostname.resolve($0, in: namespace) })
    gateways =
      object.gateways.isEmpty
      ? [VirtualService.mesh]
      : unique(object.gateways.map { VirtualService.gatewayName($0, in: namespace) })
    destinations = unique(object.destinationHosts.map { Hostname.resolve($0, in: namespace) })
    origins = object.routeOrigins
  }

  static func == (left: ResolvedVirtualService, right: ResolvedVirtualService) -> Bool {
    left === right
  }
}

extension VirtualService {
  /// The hosts that requests and connections are routed or copied to, as written.
  fileprivate var destinationHosts: [String] {
    (tls + tcp).flatMap { $0.destinations.map(\.destination.host) }
      + http.flatMap { route in
        let mirrors = route.mirrors.map(\.destination.host)
        guard case .route(let destinations) = route.action else { return mirrors }
        return destinations.map(\.destination.host) + mirrors
      }
  }
}

/// The VirtualServices that a proxy may use, by the gateway that they are bound to: those for its own
/// namespace alone, those for it by name, those for all; each oldest first.
struct VirtualServiceIndex {
  private let byGateway: [String: [ResolvedVirtualService]]

  /// - Parameter all: oldest first, with how near each is.
  fileprivate init(_ all: [(VirtualService.Visibility, ResolvedVirtualService)]) {
    var byGateway: [String: [ResolvedVirtualService]] = [:]
    for visibility in VirtualService.Visibility.allCases {
      for (own, resolved) in all where own == visibility {
        for gateway in resolved.gateways { byGateway[gateway, default: []].append(resolved) }
      }
    }
    self.byGateway = byGateway
  }

  subscript(gateway: String) -> [ResolvedVirtualService] { byGateway[gateway] ?? [] }
}

/// The index of the last translation, and the objects in it.
struct VirtualServiceIndexes: Sendable {
  private struct Argument: Equatable {
    let objects: [VirtualService]
    let namespace: String
  }

  private var last: (argument: Argument, index: VirtualServiceIndex)?
  private var resolved = Pieces<ObjectRef, ResolvedVirtualService>()

  /// Indexes what is exported to a namespace.
  mutating func index(_ objects: [VirtualService], for namespace: String) -> VirtualServiceIndex {
    let argument = Argument(objects: objects, namespace: namespace)
    if let last, last.argument == argument { return last.index }
    let index = VirtualServiceIndex(
      objects.compactMap { object in
        object.visibility(in: namespace, default: []).map {
          ($0, resolved.part(object.ref, object))
        }
      })
    resolved.forgetUnused()
    last = (argument, index)
    return index
  }
}

extension ProxyScope {
  var virtualServices: VirtualServiceIndex {
    round.memory.virtualServices.index(mesh.virtualServices, for: proxy.namespace)
  }

  /// The routes of a VirtualService through a gateway, or through sidecars by `mesh`.
  func routes(
    of object: ResolvedVirtualService, port: UInt16, gateway: String, isTLS: Bool = false
  ) -> VirtualServiceRoutes {
    let identity = ObjectIdentifier(object)
    let destinations = round.memory.destinations.part(
      identity,
      RouteDestinations.Argument(
        object: object, services: mesh.serviceIndex, rules: mesh.destinationRules,
        surroundings: surroundings))
    return round.memory.routes.part(
      VirtualServiceRoutes.Key(object: identity, gateway: gateway, port: port, isTLS: isTLS),
      VirtualServiceRoutes.Argument(
        object: object, port: port, gateway: gateway, isTLS: isTLS,
        gatewayPlugins: gatewayPlugins[gateway] ?? [], destinations: destinations,
        surroundings: surroundings))
  }
}
