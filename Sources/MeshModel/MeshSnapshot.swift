// SPDX-License-Identifier: Apache-2.0

/// The whole configuration at one revision: immutable, indexed, and the only input of translation
/// besides the class of a proxy.
package final class MeshSnapshot: Sendable {
  /// Grows with every published change.
  package let revision: UInt64
  package let meshConfig: MeshConfig
  /// By namespace, oldest first (Istio's order by age).
  package let plugins: [String: [Plugin]]
  /// The extension providers that routes can name, in the order of the mesh configuration.
  package let routePlugins: [Plugin]
  /// The VirtualServices that name some of these, oldest first.
  package let pluginUsers: [VirtualService]
  /// Oldest first.
  package let proxyConfigs: [ProxyConfigObject]
  /// By namespace, in the order that they are applied: priority, age, name.
  package let envoyFilters: [String: [EnvoyFilter]]
  /// Oldest first.
  package let gateways: [Gateway]
  /// Oldest first.
  package let virtualServices: [VirtualService]
  /// By namespace, oldest first.
  package let sidecars: [String: [Sidecar]]
  package let destinationRules: DestinationRuleIndex
  /// By host name, then namespace.
  package let services: [Service]
  /// By namespace, then name.
  package let secrets: [String: [String: Secret]]
  package let sources: [ObjectRef: SourceMap]
  /// Of every object in force.
  package let generations: [ObjectRef: Int64]
  /// What reading and indexing found wrong; translation adds its own for each class.
  package let problems: [ConfigError]

  package let classifier: ProxyClassifier

  private let routePluginsByName: [String: Plugin]
  private let servicesByHostname: [String: [Service]]

  package init(
    revision: UInt64, meshConfig: MeshConfig = MeshConfig(), wasmPlugins: [WasmPlugin] = [],
    trafficExtensions: [TrafficExtension] = [], proxyConfigs: [ProxyConfigObject] = [],
    envoyFilters: [EnvoyFilter] = [], gateways: [Gateway] = [],
    virtualServices: [VirtualService] = [], destinationRules: [DestinationRule] = [],
    sidecars: [Sidecar] = [],
    services: [Service] = [], secrets: [Secret] = [], sources: [ObjectRef: SourceMap] = [:],
    generations: [ObjectRef: Int64] = [:], problems: [ConfigError] = []
  ) {
    self.revision = revision
    self.meshConfig = meshConfig
    let plugins = wasmPlugins.map(Plugin.init) + trafficExtensions.map(Plugin.init)
    self.plugins = Dictionary(
      grouping: plugins.sorted(by: Plugin.precedesByAge), by: \.meta.namespace)
    routePlugins = meshConfig.extensionProviders.compactMap {
      Plugin($0, rootNamespace: meshConfig.rootNamespace)
    }
    routePluginsByName = Dictionary(
      routePlugins.map { ($0.configName, $0) }, uniquingKeysWith: { first, _ in first })
    pluginUsers = virtualServices.filter { !$0.pluginNames.isEmpty }
      .sorted(by: VirtualService.precedesByAge)
    self.proxyConfigs = proxyConfigs.sorted(by: ProxyConfigObject.precedesByAge)
    self.envoyFilters = Dictionary(
      grouping: envoyFilters.sorted { left, right in
        left.priority == right.priority
          ? EnvoyFilter.precedesByAge(left, right) : left.priority < right.priority
      }, by: \.meta.namespace)
    self.gateways = gateways.sorted(by: Gateway.precedesByAge)
    self.virtualServices = virtualServices.sorted(by: VirtualService.precedesByAge)
    self.destinationRules = DestinationRuleIndex(destinationRules)
    self.sidecars = Dictionary(
      grouping: sidecars.sorted(by: Sidecar.precedesByAge), by: \.meta.namespace)
    self.services = services.sorted {
      ($0.hostname, $0.namespace) < ($1.hostname, $1.namespace)
    }
    self.secrets = Dictionary(grouping: secrets, by: \.meta.namespace).mapValues { secrets in
      Dictionary(uniqueKeysWithValues: secrets.map { ($0.meta.name, $0) })
    }
    self.sources = sources
    self.generations = generations
    self.problems = problems

    classifier = ProxyClassifier(
      selectors: plugins.compactMap(\.placement.selector)
        + envoyFilters.compactMap(\.workloadSelector) + gateways.map(\.selector)
        + sidecars.compactMap(\.workloadSelector)
        + virtualServices.flatMap(\.sourceSelectors),
      envoyFilters: envoyFilters, destinationRules: destinationRules, meshConfig: meshConfig,
      services: services)
    servicesByHostname = Dictionary(grouping: self.services, by: \.hostname)
      .mapValues { $0.sorted { $0.creationTimestamp < $1.creationTimestamp } }
  }

  /// The service that a fully qualified host name means to workloads of a namespace.
  ///
  /// The own namespace first, then the oldest that is exported to it.
  package func service(named hostname: String, visibleIn namespace: String) -> Service? {
    let candidates = servicesByHostname[hostname] ?? []
    return candidates.first { $0.namespace == namespace && $0.isVisible(in: namespace) }
      ?? candidates.first { $0.isVisible(in: namespace) }
  }

  /// The Wasm plugin that routes can refer to by a name.
  package func routePlugin(named name: String) -> Plugin? { routePluginsByName[name] }

  /// Adds the file and line to a problem that knows its object and path.
  package func located(_ problem: ConfigError) -> ConfigError {
    guard problem.location == nil, let object = problem.object else { return problem }
    var located = problem
    located.location = sources[object]?.location(of: problem.path)
    return located
  }
}
