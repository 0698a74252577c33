// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Puts the routes of delegates in the place of the routes that delegate to them, as Istio does: one
/// level, and only what is narrower than the route of the root.
///
/// A route that leads to no delegate, or to a route that is not narrower, is left out and reported; its
/// neighbours stay.
struct Delegation: Piece {
  struct Argument: Equatable {
    let objects: ObjectList<VirtualService>
    /// What objects are exported to that do not say it; empty for all namespaces.
    let exportTo: [String]
  }

  /// Those that have hosts, with the routes of their delegates.
  private(set) var virtualServices: [VirtualService] = []
  private(set) var problems: [ConfigError] = []
  private var delegates: [ObjectRef: VirtualService] = [:]
  private var used: Set<ObjectRef> = []

  /// Merges all objects of the mesh.
  init(_ argument: Argument) {
    for object in argument.objects where object.hosts.isEmpty {
      delegates[object.ref] = exported(object, argument)
    }
    virtualServices.reserveCapacity(argument.objects.count)
    for object in argument.objects where !object.hosts.isEmpty {
      virtualServices.append(
        object.http.contains(where: \.isDelegating)
          ? merged(exported(object, argument)) : exported(object, argument))
    }
    for delegate in delegates.keys.sorted() where !used.contains(delegate) {
      problems.append(
        ConfigError(
          .notFound, severity: .warning, object: delegate, at: FieldPath("spec", "hosts"),
          reason: "has no hosts, and no VirtualService delegates to it"))
    }
  }

  private func exported(_ object: VirtualService, _ argument: Argument) -> VirtualService {
    guard object.exportTo.isEmpty, !argument.exportTo.isEmpty else { return object }
    var exported = object
    exported.exportTo = argument.exportTo
    return exported
  }

  private mutating func merged(_ root: VirtualService) -> VirtualService {
    var merged = root
    merged.http = root.http.flatMap { route -> [VirtualService.HTTPRoute] in
      guard case .delegate(let name, let namespace) = route.action else { return [route] }
      let path = route.path["delegate"]
      let ref = ObjectRef(
        kind: .virtualService, namespace: namespace.isEmpty ? root.meta.namespace : namespace,
        name: name)
      guard let delegate = delegates[ref] else {
        report(root, .notFound, path, "there is no delegate \(ref.namespace)/\(name)")
        return []
      }
      used.insert(ref)
      guard delegate.visibility(in: root.meta.namespace, default: []) != nil else {
        report(
          root, .notFound, path,
          "the delegate \(ref.namespace)/\(name) is not exported to namespace "
            + root.meta.namespace)
        return []
      }
      return delegate.http.compactMap { self.merged(route, $0, of: delegate, from: root) }
    }
    return merged
  }

  /// The route of a delegate with what its root says; nil where it is not narrower.
  private mutating func merged(
    _ root: VirtualService.HTTPRoute, _ route: VirtualService.HTTPRoute,
    of delegate: VirtualService, from object: VirtualService
  ) -> VirtualService.HTTPRoute? {
    var merged = route.resolved(in: delegate.meta.namespace)
    let root = root.resolved(in: object.meta.namespace)
    var matches: [VirtualService.HTTPMatch] = []
    if root.matches.isEmpty || route.matches.isEmpty {
      matches = merged.matches + root.matches
    } else {
      for (index, match) in merged.matches.enumerated() {
        let narrower = root.matches.compactMap(match.refined)
        guard !narrower.isEmpty else {
          report(
            delegate, .conflict, route.path["match"][index],
            "is not narrower than the matches of \(object.ref) at \(root.path), which delegates "
              + "here; this route is left out there")
          return nil
        }
        matches += narrower
      }
    }
    merged.matches = matches
    merged.name = VirtualService.HTTPMatch.joined(root.name, route.name)
    merged.rewrite = route.rewrite ?? root.rewrite
    merged.timeout = route.timeout ?? root.timeout
    merged.retries = route.retries ?? root.retries
    merged.fault = route.fault ?? root.fault
    merged.corsPolicy = route.corsPolicy ?? root.corsPolicy
    if route.mirrors.isEmpty { merged.mirrors = root.mirrors }
    if route.headers.isEmpty { merged.headers = root.headers }
    // Those of the root guard what it delegates.
    merged.plugins = root.plugins + route.plugins
    merged.delegated = delegate.origin(at: route.path)
    return merged
  }

  private mutating func report(
    _ object: VirtualService, _ code: ConfigError.Code, _ path: FieldPath, _ reason: String
  ) {
    problems.append(
      ConfigError(code, severity: .warning, object: object.ref, at: path, reason: reason))
  }
}

extension VirtualService.HTTPRoute {
  fileprivate var isDelegating: Bool {
    if case .delegate = action { true } else { false }
  }

  /// With its names written out, so that it can stand in an object of another namespace.
  fileprivate func resolved(in namespace: String) -> Self {
    func resolve(_ destination: inout VirtualService.Destination) {
      destination.host = Hostname.resolve(destination.host, in: namespace)
    }
    var route = self
    if case .route(var destinations) = action {
      for index in destinations.indices { resolve(&destinations[index].destination) }
      route.action = .route(destinations)
    }
    for index in route.mirrors.indices { resolve(&route.mirrors[index].destination) }
    for index in route.matches.indices {
      route.matches[index].gateways = matches[index].gateways.map {
        VirtualService.gatewayName($0, in: namespace)
      }
    }
    return route
  }
}
