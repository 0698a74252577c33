// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension SnapshotBuilder {
  /// An object that carries a piece of the mesh configuration.
  private struct Carrier {
    var config: MeshConfig
    /// Where in the object.
    var origin: Origin
  }

  /// The mesh configuration: Istio's defaults, then what is written, the later over the earlier.
  ///
  /// IstioOperators first, as they are what ConfigMaps are made from, then the ConfigMaps `istio`,
  /// then the files that were named on the command line; of each the oldest first.
  ///
  /// - Parameters:
  ///   - inventory: sorted by age.
  ///   - problems: gets a warning for each carrier that is not the only one.
  /// - Returns: Istio's defaults where nothing is written.
  static func mergedMeshConfig(
    _ inventory: Inventory, _ problems: inout [ConfigError]
  ) -> MeshConfig {
    let operators = inventory.istioOperators.compactMap { object in
      object.meshConfig.map {
        Carrier(config: $0, origin: object.origin(at: FieldPath("spec", "meshConfig")))
      }
    }
    let maps = inventory.meshConfigMaps.map {
      Carrier(
        config: $0.meshConfig, origin: $0.origin(at: FieldPath("data", MeshConfigMap.key)))
    }
    let files = inventory.meshConfigFiles.map {
      Carrier(config: $0.meshConfig, origin: $0.origin(at: FieldPath("mesh")))
    }
    let carriers = operators + maps + files
    var merged = MeshConfig()
    for carrier in carriers { merged.override(with: carrier.config, from: carrier.origin) }
    for carrier in carriers.dropFirst() {
      problems.append(
        ConfigError(
          .conflict, severity: .warning, object: carrier.origin.object, at: carrier.origin.path,
          reason: "overrides the mesh configuration of \(carriers[0].origin.object), "
            + "field by field"))
    }
    return merged
  }
}

extension Inventory {
  /// Gives objects that do not say where they are exported to what the mesh configuration says.
  mutating func applyDefaults(of meshConfig: MeshConfig) {
    if !meshConfig.defaultVirtualServiceExportTo.isEmpty {
      for index in virtualServices.indices where virtualServices[index].exportTo.isEmpty {
        virtualServices[index].exportTo = meshConfig.defaultVirtualServiceExportTo
      }
    }
    if !meshConfig.defaultDestinationRuleExportTo.isEmpty {
      for index in destinationRules.indices where destinationRules[index].exportTo.isEmpty {
        destinationRules[index].exportTo = meshConfig.defaultDestinationRuleExportTo
      }
    }
  }
}

extension [Service] {
  /// The same for services, whatever declares them.
  mutating func applyDefaults(of meshConfig: MeshConfig) {
    guard !meshConfig.defaultServiceExportTo.isEmpty else { return }
    for index in indices where self[index].exportTo.isEmpty {
      self[index].exportTo = meshConfig.defaultServiceExportTo
    }
  }
}
