// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
package import MeshModel
package import ProtoReflection

/// Turns the configuration of the mesh into the xDS resources of a class of proxies.
///
/// A pure function of its two arguments, without clock, flag or store, so a result can be kept for as
/// long as both stay equal. Every object and every patch has its own fault boundary: what is wrong
/// with one is reported and left out, and its neighbours are as if it were not there.
package struct Translator: Sendable {
  private let decoder: PatchValueDecoder

  /// Makes a translator.
  ///
  /// - Parameter types: the whole Envoy API, for what users write in EnvoyFilters.
  package init(types: DescriptorPool) {
    decoder = PatchValueDecoder(types: types)
  }

  /// All resources of a class, each with the objects that it comes from, and what went wrong.
  package func translate(
    _ mesh: MeshSnapshot, for proxyClass: ProxyClass
  ) -> ResourceSnapshot {
    let scope = ProxyScope(mesh, proxyClass)
    var problems: [ConfigError] = []
    var sets: [TypeURL: [EncodedResource]] = [:]

    let clusters = Clusters(scope)
    problems += clusters.problems
    sets[.cluster] = clusters.clusters.map { $1.encoded(as: .cluster, named: $0) }
    sets[.endpoint] = clusters.assignments.map { $1.encoded(as: .endpoint, named: $0) }

    let virtualServices = VirtualServiceIndex(scope)
    var listeners: [ListenerDraft] = []
    var routes: [Sourced<Envoy.RouteConfiguration>] = []
    switch proxyClass.role {
    case .router:
      let gateway = GatewayPorts(scope)
      problems += gateway.problems
      var tables = GatewayRoutes(scope, virtualServices)
      for port in gateway.ports {
        listeners.append(GatewayListeners.listener(for: port, in: scope))
        routes.append(tables.configuration(for: port))
      }
      problems += tables.problems
    case .sidecar:
      let ports = OutboundPorts(scope.services)
      let sidecar = SidecarListeners(scope, ports: ports)
      listeners = sidecar.listeners
      problems += sidecar.problems
      var tables = SidecarRoutes(scope, virtualServices)
      routes = ports.http.map { tables.configuration(forPort: $0, $1) }
      problems += tables.problems
    }
    let patches = PatchSet(scope, decoder: decoder)
    problems += patches.problems
    var httpFilters = HTTPFilterPatches(patches)
    for position in listeners.indices { httpFilters.apply(to: &listeners[position]) }
    problems += httpFilters.problems
    let extensions = ExtensionConfigs(scope, patches)
    problems += extensions.problems
    sets[.extensionConfig] = extensions.resources
    sets[.route] = routes.map { $0.encoded(as: .route, named: $0.content.name) }
    sets[.listener] = listeners.map { $0.sourced.encoded(as: .listener, named: $0.name) }

    return ResourceSnapshot(
      revision: mesh.revision, proxyClass: proxyClass,
      sets: sets.filter { !$0.value.isEmpty }.mapValues(ResourceSet.init),
      problems: Self.unique(problems).map(mesh.located))
  }

  /// In order, each once: an object that several listeners use is reported once.
  private static func unique(_ problems: [ConfigError]) -> [ConfigError] {
    var seen: Set<ConfigError> = []
    return problems.filter { seen.insert($0).inserted }
  }
}
