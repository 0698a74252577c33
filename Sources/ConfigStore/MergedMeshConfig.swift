// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The mesh configuration: Istio's defaults, then what is written, the later over the earlier.
///
/// IstioOperators first, as they are what ConfigMaps are made from, then the ConfigMaps `istio`,
/// then the files that were named on the command line; of each the oldest first.
struct MergedMeshConfig: Piece {
  /// An object that carries a piece of the mesh configuration.
  private struct Carrier {
    var config: MeshConfig
    /// Where in the object.
    var origin: Origin
  }

  /// Istio's defaults where nothing is written.
  private(set) var meshConfig = MeshConfig()
  /// A warning for each carrier that is not the only one.
  private(set) var problems: [ConfigError] = []

  init(_ sources: Inventory.MeshConfigSources) {
    let operators = sources.operators.compactMap { object in
      object.meshConfig.map {
        Carrier(config: $0, origin: object.origin(at: FieldPath("spec", "meshConfig")))
      }
    }
    let maps = sources.maps.map {
      Carrier(
        config: $0.meshConfig, origin: $0.origin(at: FieldPath("data", MeshConfigMap.key)))
    }
    let files = sources.files.map {
      Carrier(config: $0.meshConfig, origin: $0.origin(at: FieldPath("mesh")))
    }
    let carriers = operators + maps + files
    for carrier in carriers { meshConfig.override(with: carrier.config, from: carrier.origin) }
    for carrier in carriers.dropFirst() {
      problems.append(
        ConfigError(
          .conflict, severity: .warning, object: carrier.origin.object, at: carrier.origin.path,
          reason: "overrides the mesh configuration of \(carriers[0].origin.object), "
            + "field by field"))
    }
  }
}
