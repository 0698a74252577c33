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
  package let serviceIndex: ServiceIndex
  /// By namespace, then name.
  package let secrets: [String: [String: Secret]]
  package let sources: [ObjectRef: SourceMap]
  /// Of every object in force.
  package let generations: [ObjectRef: Int64]
  /// What reading and indexing found wrong; translation adds its own for each class.
  package let problems: [ConfigError]

  package let classifier: ProxyClassifier

  package convenience init(
    revision: UInt64, meshConfig: MeshConfig = MeshConfig(), wasmPlugins: [WasmPlugin] = [],
    trafficExtensions: [TrafficExtension] = [], proxyConfigs: [ProxyConfigObject] = [],
    envoyFilters: [EnvoyFilter] = [], gateways: [Gateway] = [],
    virtualServices: [VirtualService] = [], destinationRules: [DestinationRule] = [],
    sidecars: [Sidecar] = [],
    services: [Service] = [], secrets: [Secret] = [], sources: [ObjectRef: SourceMap] = [:],
    generations: [ObjectRef: Int64] = [:], problems: [ConfigError] = []
  ) {
    self.init(
      revision: revision, meshConfig: meshConfig, wasmPlugins: wasmPlugins,
      trafficExtensions: trafficExtensions, proxyConfigs: proxyConfigs,
      envoyFilters: envoyFilters, gateways: gateways, virtualServices: virtualServices,
      destinationRules: DestinationRuleIndex(destinationRules), sidecars: sidecars,
      services: ServiceIndex(services), secrets: secrets, sources: sources,
      generations: generations, problems: problems)
  }

  /// The same of what has been indexed already.
  package init(
    revision: UInt64, meshConfig: MeshConfig, wasmPlugins: [WasmPlugin],
    trafficExtensions: [TrafficExtension], proxyConfigs: [ProxyConfigObject],
    envoyFilters: [EnvoyFilter], gateways: [Gateway], virtualServices: [VirtualService],
    destinationRules: DestinationRuleIndex, sidecars: [Sidecar], services: ServiceIndex,
    secrets: [Secret], sources: [ObjectRef: SourceMap], generations: [ObjectRef: Int64],
    problems: [ConfigError]
  ) {
    self.revision = revision
    self.meshConfig = meshConfig
    let plugins = wasmPlugins.map(Plugin.init) + trafficExtensions.map(Plugin.init)
    self.plugins = Dictionary(
      grouping: plugins.sorted(by: Plugin.precedesByAge), by: \.meta.namespace)
    routePlugins = meshConfig.extensionProviders.compactMap {
      Plugin($0, rootNamespace: meshConfig.rootNamespace)
    }
    pluginUsers =
      virtualServices.filter { !$0.pluginNames.isEmpty }
      .inAgeOrder
    self.proxyConfigs = proxyConfigs.sorted(by: ProxyConfigObject.precedesByAge)
    self.envoyFilters = Dictionary(
      grouping: envoyFilters.sorted { left, right in
        left.priority == right.priority
          ? EnvoyFilter.precedesByAge(left, right) : left.priority < right.priority
      }, by: \.meta.namespace)
    self.gateways = gateways.sorted(by: Gateway.precedesByAge)
    self.virtualServices = virtualServices.inAgeOrder
    self.destinationRules = destinationRules
    self.sidecars = Dictionary(
      grouping: sidecars.sorted(by: Sidecar.precedesByAge), by: \.meta.namespace)
    serviceIndex = services
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
      envoyFilters: envoyFilters, destinationRules: destinationRules.rules,
      meshConfig: meshConfig, instances: services.instances)
  }

  /// By host name, then namespace.
  package var services: [Service] { serviceIndex.all }

  /// The service that a fully qualified host name means to workloads of a namespace.
  ///
  /// The own namespace first, then the oldest that is exported to it.
  package func service(named hostname: String, visibleIn namespace: String) -> Service? {
    serviceIndex.service(named: hostname, visibleIn: namespace)
  }

  /// Adds the file and line to a problem that knows its object and path.
  package func located(_ problem: ConfigError) -> ConfigError {
    guard problem.location == nil, let object = problem.object else { return problem }
    var located = problem
    located.location = sources[object]?.location(of: problem.path)
    return located
  }
}

extension [VirtualService] {
  /// The same list where it is in order already, as those of a store are.
  fileprivate var inAgeOrder: Self {
    let isInOrder = indices.dropFirst().allSatisfy { position in
      !VirtualService.precedesByAge(self[position], self[position - 1])
    }
    return isInOrder ? self : sorted(by: VirtualService.precedesByAge)
  }
}
