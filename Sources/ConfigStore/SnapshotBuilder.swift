// SPDX-License-Identifier: Apache-2.0

package import Manifests
package import MeshModel

/// Makes snapshots of the mesh from the objects in force, one after another.
///
/// Objects arrive decoded, so this only sorts them by kind, joins what belongs together (services and
/// their endpoints, the pieces of the mesh configuration) and looks for references that lead nowhere.
/// What the changes since the last snapshot do not touch is kept from it; a snapshot is the same for
/// any history of the objects that are in force.
package struct SnapshotBuilder: Sendable {
  private var inventory = Inventory()
  private var meshConfig = Latest<MergedMeshConfig>()
  private var services = ServiceRegistry()
  private var destinationRules = Latest<IndexedRules>()
  private var delegation = Latest<Delegation>()
  private var references = References()
  private var connectionReferences = Latest<ConnectionReferences>()
  private var extensionReferences = Latest<ExtensionReferences>()
  private var pluginReferences = Latest<PluginReferences>()

  package init() {}

  /// Takes over what has changed; nil stands for an object that is gone.
  package mutating func update(_ changes: [ObjectRef: DecodedObject?]) { inventory.update(changes) }

  /// The snapshot of what is in force now.
  ///
  /// - Parameters:
  ///   - revision: of the snapshot.
  ///   - problems: what reading the objects found; those between objects are added.
  ///   - now: in seconds since the Unix epoch, to see which certificates are valid; nil sees none.
  /// - Returns: the snapshot.
  package mutating func snapshot(
    revision: UInt64, problems: [ConfigError] = [], now: Int64? = nil
  ) -> MeshSnapshot {
    let merged = meshConfig.part(inventory.meshConfigs)
    let meshConfig = merged.meshConfig
    let registered = services.services(
      of: inventory.services, exportTo: meshConfig.defaultServiceExportTo)
    let rules = destinationRules.part(
      IndexedRules.Argument(
        rules: inventory.destinationRules, exportTo: meshConfig.defaultDestinationRuleExportTo))
    let delegation = delegation.part(
      Delegation.Argument(
        objects: inventory.virtualServices, exportTo: meshConfig.defaultVirtualServiceExportTo))
    var found = merged.problems + registered.problems + rules.index.problems + delegation.problems
    found += references.problems(of: inventory, registered.names)
    found +=
      connectionReferences.part(
        ConnectionReferences.Argument(
          objects: inventory.virtualServices, services: registered.names)
      ).problems
    found += extensionReferences.part(inventory.envoyFilters).problems
    found +=
      pluginReferences.part(
        PluginReferences.Argument(
          gateways: inventory.gateways, virtualServices: inventory.virtualServices,
          providers: meshConfig.extensionProviders)
      ).problems
    if let now { Validities.check(inventory.secrets.array, at: now, &found) }
    let located = found.map { problem in
      var problem = problem
      if let object = problem.object {
        problem.location = inventory.sources[object]?.location(of: problem.path)
      }
      return problem
    }
    return MeshSnapshot(
      revision: revision, meshConfig: meshConfig, wasmPlugins: inventory.wasmPlugins.array,
      trafficExtensions: inventory.trafficExtensions.array,
      proxyConfigs: inventory.proxyConfigs.array, envoyFilters: inventory.envoyFilters.array,
      gateways: inventory.gateways.array, virtualServices: delegation.virtualServices,
      destinationRules: rules.index, sidecars: inventory.sidecars.array,
      services: registered.index, secrets: inventory.secrets.array, sources: inventory.sources,
      generations: inventory.generations,
      problems: (problems + located).sorted(by: ConfigError.precedes))
  }

  /// The snapshot of some objects, each identity once.
  package static func build(
    _ objects: some Sequence<DecodedObject>, revision: UInt64, problems: [ConfigError] = [],
    now: Int64? = nil
  ) -> MeshSnapshot {
    var builder = Self()
    builder.update(
      Dictionary(objects.map { ($0.ref, $0) }, uniquingKeysWith: { _, last in last }))
    return builder.snapshot(revision: revision, problems: problems, now: now)
  }
}

/// The DestinationRules of the mesh, with what they export to where they do not say it.
private struct IndexedRules: Piece {
  struct Argument: Equatable {
    let rules: ObjectList<DestinationRule>
    let exportTo: [String]
  }

  let index: DestinationRuleIndex

  init(_ argument: Argument) {
    var rules = argument.rules.array
    if !argument.exportTo.isEmpty {
      for position in rules.indices where rules[position].exportTo.isEmpty {
        rules[position].exportTo = argument.exportTo
      }
    }
    index = DestinationRuleIndex(rules)
  }
}
