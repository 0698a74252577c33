// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What the last translation for a class of proxies was put together from.
struct ClassMemory: Sendable {
  var visible = Latest<VisibleServices>()
  var clusters = OutboundClusters()
  var virtualServices = VirtualServiceIndexes()
  var destinations = Pieces<ObjectIdentifier, RouteDestinations>()
  var routes = Pieces<VirtualServiceRoutes.Key, VirtualServiceRoutes>()
  var defaultRoutes = Pieces<String, DefaultRoutes>()
  /// By the names of the route configuration and of the virtual host.
  private var virtualHosts: [String: Pieces<String, EncodedVirtualHost>] = [:]
  private var usedConfigurations: Set<String> = []
  var routeConfigurations = Pieces<String, EncodedRouteConfiguration>()
  private var sets: [TypeURL: ResourceSet] = [:]
  private var surroundings: Shared<Surroundings>?

  /// The same object for as long as the value is the same.
  mutating func shared(_ value: Surroundings) -> Shared<Surroundings> {
    let shared = Shared.keeping(surroundings, value)
    surroundings = shared
    return shared
  }

  /// The virtual hosts of a route configuration, in the order of the arguments.
  mutating func encoded(
    _ hosts: [EncodedVirtualHost.Argument], of configuration: String
  ) -> [EncodedVirtualHost] {
    // Taken out, so that it changes in place.
    var parts = virtualHosts.removeValue(forKey: configuration) ?? Pieces()
    let encoded = hosts.map { parts.part($0.name, $0) }
    parts.forgetUnused()
    virtualHosts[configuration] = parts
    usedConfigurations.insert(configuration)
    return encoded
  }

  /// The sets that are not empty; one of which nothing has changed is the one of the last translation.
  mutating func sets(of resources: [TypeURL: [EncodedResource]]) -> [TypeURL: ResourceSet] {
    var made: [TypeURL: ResourceSet] = [:]
    for (typeURL, resources) in resources where !resources.isEmpty {
      made[typeURL] = ResourceSet(resources, after: sets[typeURL])
    }
    sets = made
    return made
  }

  /// Ends a translation.
  mutating func forgetUnused() {
    virtualHosts = virtualHosts.filter { usedConfigurations.contains($0.key) }
    usedConfigurations = []
    destinations.forgetUnused()
    routes.forgetUnused()
    defaultRoutes.forgetUnused()
    routeConfigurations.forgetUnused()
  }
}

/// What pieces depend on that is the same for all of a class.
struct Surroundings: Equatable, Sendable {
  let proxy: ProxyClass
  let meshConfig: MeshConfig
  /// The extension providers that routes can name.
  let routePlugins: [String: Plugin]

  init(_ mesh: MeshSnapshot, _ proxy: ProxyClass) {
    self.proxy = proxy
    meshConfig = mesh.meshConfig
    routePlugins = Dictionary(
      mesh.routePlugins.map { ($0.configName, $0) }, uniquingKeysWith: { first, _ in first })
  }
}

/// The memory of a class while it is translated.
///
/// A class, since all builders of a translation write into one; it never leaves the translation that
/// took it.
final class TranslationRound {
  var memory: ClassMemory

  init(_ memory: ClassMemory) { self.memory = memory }
}
