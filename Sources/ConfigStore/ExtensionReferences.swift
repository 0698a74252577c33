// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

/// Looks at the names by which filters take their configuration from ECDS: each must be served, and
/// what is served should be asked for.
///
/// Names alone are compared, since which proxies an EnvoyFilter means is not known before there are
/// proxies. What is missing may come later, so these are warnings; but Envoy refuses a configuration
/// of a type that its filter did not announce, so that is an error.
struct ExtensionReferences: Piece {
  private(set) var problems: [ConfigError] = []

  /// A filter with `config_discovery` that a patch writes.
  private struct Reference {
    var object: ObjectRef
    var path: FieldPath
    var name: String
    var typeURLs: [String]
  }

  private struct Served {
    var object: ObjectRef
    var path: FieldPath
    /// Where `typeURL` is written, and what it says; empty where there is none.
    var typePath: FieldPath
    var typeURL: String

    init(_ patch: EnvoyFilter.ConfigPatch, of filter: EnvoyFilter, _ config: JSONValue?) {
      object = filter.ref
      path = patch.path["patch"]["value"]
      typeURL = config?["@type"]?.stringValue ?? ""
      typePath = path["typed_config"]["@type"]
      // A TypedStruct stands for the type that it names.
      if typeURL.hasSuffix(".TypedStruct"), let config {
        typeURL = config.field("type_url", "typeUrl")?.stringValue ?? ""
        typePath = path["typed_config"]["type_url"]
      }
    }
  }

  /// The beginning of the names that plugins have, which patches neither serve nor are asked for.
  private static let pluginPrefix = "extensions.istio.io/"

  init(_ filters: ObjectList<EnvoyFilter>) {
    var references: [Reference] = []
    var served: [String: [Served]] = [:]
    for filter in filters {
      for patch in filter.configPatches {
        guard let value = patch.value, let name = value["name"]?.stringValue, !name.isEmpty,
          Self.isAdding(patch.operation)
        else { continue }
        let path = patch.path["patch"]["value"]
        switch patch.applyTo {
        case .extensionConfig:
          served[name, default: []].append(
            Served(patch, of: filter, value.field("typed_config", "typedConfig")))
        case .httpFilter, .networkFilter, .listenerFilter:
          guard let discovery = value.field("config_discovery", "configDiscovery"),
            discovery.field("config_source", "configSource")?["ads"] != nil
          else { continue }
          let types = discovery.field("type_urls", "typeUrls")?.arrayElements ?? []
          references.append(
            Reference(
              object: filter.ref, path: path, name: name, typeURLs: types.compactMap(\.stringValue))
          )
        default: continue
        }
      }
    }
    let asked = Set(references.map(\.name))
    for reference in references
    where served[reference.name] == nil && !reference.name.hasPrefix(Self.pluginPrefix) {
      problems.append(Self.missing(reference, served.keys.sorted()))
    }
    for reference in references {
      for config in served[reference.name] ?? [] {
        if let problem = Self.mismatch(config, reference) { problems.append(problem) }
      }
    }
    for (name, configs) in served where !asked.contains(name) && !name.hasPrefix(Self.pluginPrefix)
    {
      for config in configs {
        problems.append(
          ConfigError(
            .notFound, severity: .warning, object: config.object, at: config.path["name"],
            reason:
              "no filter asks for \"\(name)\", so it is served to nobody; insert an HTTP_FILTER "
              + "with this name and config_discovery"))
      }
    }
  }

  private static func isAdding(_ operation: EnvoyFilter.Operation) -> Bool {
    switch operation {
    case .add, .insertFirst, .insertBefore, .insertAfter, .replace: true
    case .merge, .mergeAndReplaceList, .remove: false
    }
  }

  private static func missing(_ reference: Reference, _ names: [String]) -> ConfigError {
    let hint =
      names.first { $0.lowercased() == reference.name.lowercased() }
      ?? names.first { $0.hasSuffix(reference.name) || reference.name.hasSuffix($0) }
    return ConfigError(
      .notFound, severity: .warning, object: reference.object, at: reference.path["name"],
      reason: "no EXTENSION_CONFIG serves \"\(reference.name)\", so requests wait and then fail"
        + (hint.map { "; did you mean \"\($0)\"?" } ?? "; add one of this name"))
  }

  private static func mismatch(_ config: Served, _ reference: Reference) -> ConfigError? {
    func name(_ typeURL: String) -> Substring { typeURL.split(separator: "/").last ?? "" }
    guard !config.typeURL.isEmpty, !reference.typeURLs.isEmpty,
      !reference.typeURLs.contains(where: { name($0) == name(config.typeURL) })
    else { return nil }
    return ConfigError(
      .conflict, object: config.object, at: config.typePath,
      reason:
        "\(name(config.typeURL)) is not among the type_urls of the filter \"\(reference.name)\" "
        + "of \(reference.object), so Envoy refuses it; add \(config.typeURL) there")
  }
}

extension JSONValue {
  /// A member by its name in the `.proto` file or in JSON.
  fileprivate func field(_ name: String, _ jsonName: String) -> JSONValue? {
    self[name] ?? self[jsonName]
  }
}
