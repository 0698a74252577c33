// SPDX-License-Identifier: Apache-2.0

import MeshModel
import ProtoReflection
import Translation

/// What a patch of a list of filters writes, in the terms of the rules about such lists.
struct FilterValue {
  let kind: FilterKind
  let name: String
  /// The full name of the configuration's type, that in a TypedStruct too; empty where there is none.
  let typeName: String
  /// Where the type is written.
  let typePath: FieldPath
  let isDiscovered: Bool
  /// The types that a configuration from ECDS may have.
  let discoveredTypes: [String]
  let isOptional: Bool
  let isDisabled: Bool
  let isTerminal: Bool

  /// Nil where a patch writes no filter.
  init?(_ patch: CheckedPatch) {
    guard let kind = FilterKind(patch.patch.applyTo), let value = patch.value else { return nil }
    self.kind = kind
    name = value["name"]?.string ?? ""
    let discovery = value["config_discovery"]?.message
    isDiscovered = discovery != nil
    discoveredTypes = (discovery?["type_urls"]?.list ?? []).compactMap(\.string)
    isOptional = value["is_optional"]?.bool ?? false
    isDisabled = value["disabled"]?.bool ?? false
    let config = value["typed_config"]?.message
    let path = patch.valuePath["typed_config"]
    if let content = config?.anyContent, let inner = TypedStruct(content) {
      typeName = inner.typeName
      typePath = path["type_url"]
      isTerminal = kind.isTerminal(inner.typeName, nil)
    } else {
      let content = config?.anyContent
      typeName = content?.descriptor.fullName ?? ""
      typePath = path["@type"]
      isTerminal = content.map { kind.isTerminal($0.descriptor.fullName, $0) } ?? false
    }
  }
}

extension CheckedPatch {
  /// Whether Envoy has a filter for what a patch writes.
  mutating func checkFilter(_ types: DescriptorPool) {
    filter = FilterValue(self)
    guard let filter else { return }
    let isPart = patch.operation == .merge || patch.operation == .mergeAndReplaceList
    if filter.kind.isFormerName(filter.name) {
      warn(
        .invalid, at: valuePath["name"],
        "\"\(filter.name)\" is a name of Envoy before 1.14; Istio's own matches do not find it")
    }
    checkDiscovery(filter)
    guard !filter.typeName.isEmpty else {
      if !isPart, !filter.isDiscovered, !filter.isOptional {
        error(
          .required, at: valuePath["typed_config"],
          "is required: Envoy finds a filter by the type of its configuration, not by the name "
            + "\"\(filter.name)\"")
      }
      return
    }
    guard filter.kind.filter(configuredBy: filter.typeName) == nil else { return }
    if let expected = filter.kind.filterType(forRouteType: filter.typeName) {
      error(
        .invalid, at: filter.typePath,
        "\(filter.typeName) is for routes (typed_per_filter_config); the filter itself takes "
          + expected)
    } else if let other = FilterKind.allCases.first(where: {
      $0.filter(configuredBy: filter.typeName) != nil
    }) {
      guard !filter.isOptional else { return }
      error(
        .invalid, at: filter.typePath,
        "\(filter.typeName) configures \(other.noun), found in \(filter.kind.noun); "
          + "use applyTo \(other.applyTo.rawValue)")
    } else if types.message(named: filter.typeName) != nil, !filter.isOptional {
      checkUnlisted(filter)
    }
  }

  /// Envoy asks for its filters by the announced types when the listener comes.
  private mutating func checkDiscovery(_ filter: FilterValue) {
    for (index, typeURL) in filter.discoveredTypes.enumerated() {
      let name = typeURL.split(separator: "/").last.map(String.init) ?? ""
      guard filter.kind.filter(configuredBy: name) == nil, !filter.isOptional else { continue }
      let path = valuePath["config_discovery"]["type_urls"][index]
      if let nearest = filter.kind.nearestType(to: name) {
        error(
          .invalid, at: path,
          "no filter takes \(name); did you mean \"type.googleapis.com/\(nearest)\"?")
      } else if name.hasPrefix("envoy.") {
        error(.invalid, at: path, "\(name) is not the configuration of \(filter.kind.noun)")
      } else {
        warn(
          .unsupported, at: path,
          "\(name) is not of the Envoy API; only a proxy that was built with it accepts it")
      }
    }
  }

  /// A type that the API describes, but that no filter of a standard Envoy takes.
  private mutating func checkUnlisted(_ filter: FilterValue) {
    let packages = ["envoy.extensions.filters.", "envoy.config.filter."]
    if packages.contains(where: filter.typeName.hasPrefix) {
      warn(
        .unsupported, at: filter.typePath,
        "a standard Envoy has no filter that takes \(filter.typeName), and refuses it")
    } else {
      error(
        .invalid, at: filter.typePath,
        "\(filter.typeName) is not the configuration of \(filter.kind.noun)")
    }
  }
}
