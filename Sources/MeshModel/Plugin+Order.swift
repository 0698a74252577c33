// SPDX-License-Identifier: Apache-2.0

extension [Plugin] {
  /// The total order of plugins in a chain: by phase, then priority; plugins that tie stay in the
  /// given order (Istio's WasmPlugin reference, "phase" and "priority").
  package var inChainOrder: [Plugin] {
    enumerated().sorted { left, right in
      left.element.placement.chainRank == right.element.placement.chainRank
        ? left.offset < right.offset
        : left.element.placement.chainRank < right.element.placement.chainRank
    }.map(\.element)
  }
}

extension PluginPlacement {
  fileprivate var chainRank: (Int, Int64) {
    let phase =
      switch phase {
      case .authn: 0
      case .authz: 1
      case .stats: 2
      case .unspecified: 3
      }
    // An unset priority comes after every number, even negative ones.
    return (phase, priority.map { -Int64($0) } ?? .max)
  }
}
