// SPDX-License-Identifier: Apache-2.0

package import Manifests
package import MeshModel

/// Makes a snapshot of the mesh from the objects in force: a pure function.
///
/// Objects arrive decoded, so this only sorts them by kind, joins what belongs together (services and
/// their endpoints, the pieces of the mesh configuration) and looks for references that lead nowhere.
package enum SnapshotBuilder {
  /// Builds a snapshot.
  ///
  /// - Parameters:
  ///   - objects: each identity once.
  ///   - revision: of the snapshot.
  ///   - problems: what reading the objects found; those between objects are added.
  ///   - now: in seconds since the Unix epoch, to see which certificates are valid; nil sees none.
  /// - Returns: the snapshot, the same for any order of the objects.
  package static func build(
    _ objects: some Sequence<DecodedObject>, revision: UInt64, problems: [ConfigError] = [],
    now: Int64? = nil
  ) -> MeshSnapshot {
    var inventory = Inventory()
    for object in objects { inventory.add(object) }
    inventory.sortByAge()
    var found: [ConfigError] = []
    let meshConfig = mergedMeshConfig(inventory, &found)
    inventory.applyDefaults(of: meshConfig)
    var services = ServiceRegistry.services(of: inventory, &found)
    services.applyDefaults(of: meshConfig)
    References.check(inventory, services, &found)
    ConnectionReferences.check(inventory, services, &found)
    let destinationRules = DestinationRuleIndex(inventory.destinationRules)
    found += destinationRules.problems
    let delegation = Delegation(inventory.virtualServices)
    found += delegation.problems
    ExtensionReferences.check(inventory, &found)
    if let now { Validities.check(inventory.secrets, at: now, &found) }
    PluginReferences.check(inventory, meshConfig, &found)
    let located = found.map { problem in
      var problem = problem
      if let object = problem.object {
        problem.location = inventory.sources[object]?.location(of: problem.path)
      }
      return problem
    }
    return MeshSnapshot(
      revision: revision, meshConfig: meshConfig, wasmPlugins: inventory.wasmPlugins,
      trafficExtensions: inventory.trafficExtensions, proxyConfigs: inventory.proxyConfigs,
      envoyFilters: inventory.envoyFilters, gateways: inventory.gateways,
      virtualServices: delegation.virtualServices, destinationRules: inventory.destinationRules,
      sidecars: inventory.sidecars,
      services: services, secrets: inventory.secrets, sources: inventory.sources,
      generations: inventory.generations,
      problems: (problems + located).sorted(by: ConfigError.precedes))
  }
}

/// Objects sorted by kind.
struct Inventory {
  var wasmPlugins: [WasmPlugin] = []
  var trafficExtensions: [TrafficExtension] = []
  var envoyFilters: [EnvoyFilter] = []
  var gateways: [Gateway] = []
  var virtualServices: [VirtualService] = []
  var destinationRules: [DestinationRule] = []
  var serviceEntries: [ServiceEntry] = []
  var sidecars: [Sidecar] = []
  var workloadEntries: [WorkloadEntry] = []
  var pods: [Pod] = []
  var kubernetesServices: [KubernetesService] = []
  var endpointSlices: [EndpointSlice] = []
  var endpoints: [Endpoints] = []
  var secrets: [Secret] = []
  var istioOperators: [IstioOperator] = []
  var meshConfigMaps: [MeshConfigMap] = []
  var meshConfigFiles: [MeshConfigFile] = []
  var proxyConfigs: [ProxyConfigObject] = []
  var sources: [ObjectRef: SourceMap] = [:]
  var generations: [ObjectRef: Int64] = [:]

  mutating func add(_ object: DecodedObject) {
    sources[object.ref] = object.source
    generations[object.ref] = object.meta.generation
    switch object.value {
    case .wasmPlugin(let object): wasmPlugins.append(object)
    case .trafficExtension(let object): trafficExtensions.append(object)
    case .envoyFilter(let object): envoyFilters.append(object)
    case .gateway(let object): gateways.append(object)
    case .virtualService(let object): virtualServices.append(object)
    case .destinationRule(let object): destinationRules.append(object)
    case .sidecar(let object): sidecars.append(object)
    case .workloadEntry(let object): workloadEntries.append(object)
    case .pod(let object): pods.append(object)
    case .serviceEntry(let object): serviceEntries.append(object)
    case .service(let object): kubernetesServices.append(object)
    case .endpointSlice(let object): endpointSlices.append(object)
    case .endpoints(let object): endpoints.append(object)
    case .secret(let object): secrets.append(object)
    case .istioOperator(let object): istioOperators.append(object)
    case .meshConfigMap(let object): meshConfigMaps.append(object)
    case .meshConfigFile(let object): meshConfigFiles.append(object)
    case .proxyConfig(let object): proxyConfigs.append(object)
    case .other: break
    }
  }

  /// Makes the outcome independent of the order of the objects, where it would depend on it.
  mutating func sortByAge() {
    serviceEntries = Self.byAge(serviceEntries)
    workloadEntries = Self.byAge(workloadEntries)
    pods = Self.byAge(pods)
    kubernetesServices = Self.byAge(kubernetesServices)
    endpointSlices = Self.byAge(endpointSlices)
    endpoints = Self.byAge(endpoints)
    istioOperators = Self.byAge(istioOperators)
    meshConfigMaps = Self.byAge(meshConfigMaps)
    meshConfigFiles = Self.byAge(meshConfigFiles)
  }

  /// Sorts positions, as an object has dozens of references to count on each move.
  private static func byAge<Object: ConfigObject>(_ objects: [Object]) -> [Object] {
    objects.indices.sorted { Object.precedesByAge(objects[$0], objects[$1]) }.map { objects[$0] }
  }
}
