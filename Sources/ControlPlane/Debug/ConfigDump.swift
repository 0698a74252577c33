// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel
import Translation

/// What a proxy gets, as `envoy.admin.v3.ConfigDump` shows it.
enum ConfigDump {
  /// How the dump of one xDS type is named, and where its resources stand in it.
  private struct Form {
    var shortName: String
    var message: String
    var list: String
    var field: String
    /// Listeners keep their resource one level deeper, under a name.
    var isNested = false
  }

  private static let forms: [(TypeURL, Form)] = [
    (
      .cluster,
      Form(
        shortName: "cds", message: "ClustersConfigDump", list: "dynamic_active_clusters",
        field: "cluster")
    ),
    (
      .endpoint,
      Form(
        shortName: "eds", message: "EndpointsConfigDump", list: "dynamic_endpoint_configs",
        field: "endpoint_config")
    ),
    (
      .secret,
      Form(
        shortName: "sds", message: "SecretsConfigDump", list: "dynamic_active_secrets",
        field: "secret")
    ),
    (
      .extensionConfig,
      Form(
        shortName: "ecds", message: "EcdsConfigDump", list: "ecds_filters", field: "ecds_filter")
    ),
    (
      .listener,
      Form(
        shortName: "lds", message: "ListenersConfigDump", list: "dynamic_listeners",
        field: "listener", isNested: true)
    ),
    (
      .route,
      Form(
        shortName: "rds", message: "RoutesConfigDump", list: "dynamic_route_configs",
        field: "route_config")
    ),
  ]

  /// `{"configs": [{"@type": …}, …]}`.
  ///
  /// - Parameters:
  ///   - snapshot: what the proxy gets; nil gives an empty dump.
  ///   - types: short names such as `lds`; then `configs` is the flat list of these resources.
  /// - Returns: the dump, its types in the order that they are pushed in.
  static func json(_ snapshot: ResourceSnapshot?, types: [String]? = nil) -> JSONValue {
    guard let snapshot else { return ["configs": []] }
    let configs = forms.flatMap { typeURL, form -> [JSONValue] in
      let set = snapshot[typeURL]
      guard let types else { return [dump(set, typeURL, form)] }
      guard types.contains(form.shortName) else { return [] }
      return set.resources.map(ResourceJSON.any)
    }
    return ["configs": .array(configs)]
  }

  private static func dump(_ set: ResourceSet, _ typeURL: TypeURL, _ form: Form) -> JSONValue {
    let entries = set.resources.map { resource -> JSONValue in
      let state: JSONValue = [
        "version_info": .string("\(resource.version)"), form.field: ResourceJSON.any(resource),
      ]
      // Secrets bear their name beside themselves, too.
      if typeURL == .secret, case .object(let members) = state {
        return .object(
          pairs: [("name", .string(resource.name))] + members.map { ($0.key, $0.value) })
      }
      return form.isNested ? ["name": .string(resource.name), "active_state": state] : state
    }
    return [
      "@type": .string("type.googleapis.com/envoy.admin.v3.\(form.message)"),
      "version_info": .string("\(set.version)"),
      form.list: .array(entries),
    ]
  }
}
