// SPDX-License-Identifier: Apache-2.0

import JSON
import MeshModel

extension EnvoyFilter {
  private static let schema = Schema(
    fields: ["workloadSelector", "targetRefs", "configPatches", "priority"])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/envoy-filter/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> EnvoyFilter? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    fields.exclusive("workloadSelector", "targetRefs")
    var filter = EnvoyFilter(meta: meta, configPatches: [])
    filter.workloadSelector = fields["workloadSelector"].flatMap {
      LabelSelector.decode($0, field: "labels", problems)
    }
    filter.targetRefs = fields.targetReferences()
    filter.decodeAnnotations(problems)
    filter.priority =
      fields.optional("priority") { (node) throws(ConfigError) in
        try node.integer(Int32.self)
      } ?? 0
    let patches = fields.optional("configPatches") { (node) throws(ConfigError) in
      try node.list()
    }
    filter.configPatches = (patches ?? []).enumerated().compactMap { index, node in
      ConfigPatch.decode(node, index: index, problems)
    }
    if patches?.isEmpty ?? !fields.has("configPatches") {
      problems.warning(.required, at: fields.path["configPatches"], "has no patches, so no effect")
    }
    return filter
  }

  private static let annotationPrefix = "skiff.dev/"

  /// The annotations that are ours; all others are somebody else's.
  private mutating func decodeAnnotations(_ problems: Problems) {
    let path = FieldPath("metadata", "annotations")
    for (key, value) in meta.annotations.sorted(by: { $0.key < $1.key })
    where key.hasPrefix(Self.annotationPrefix) {
      let node = Node(YAMLValue(YAMLValue.Content.string(value), line: 1), at: path[key])
      problems.catching { () throws(ConfigError) in
        switch key {
        case "skiff.dev/order": order = try node.enumeration(Order.self)
        case "skiff.dev/presence": presence = try node.enumeration(Presence.self)
        default:
          problems.warning(
            .invalid, at: path[key],
            "unknown annotation; EnvoyFilters have skiff.dev/order and skiff.dev/presence")
        }
      }
    }
  }
}

extension EnvoyFilter.ConfigPatch {
  private static let schema = Schema(fields: ["applyTo", "match", "patch"])
  private static let patchSchema = Schema(fields: ["operation", "value", "filterClass"])

  static func decode(
    _ node: Node, index: Int, _ problems: Problems
  ) -> EnvoyFilter.ConfigPatch? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let applyTo = fields.required("applyTo") { (node) throws(ConfigError) in
      try node.enumeration(EnvoyFilter.ApplyTo.self)
    }
    if !fields.has("patch") {
      problems.error(.required, at: fields.path["patch"], "is required")
    }
    let patch = fields.object("patch", patchSchema)
    let operation = patch?.required("operation") { (node) throws(ConfigError) in
      try node.enumeration(EnvoyFilter.Operation.self)
    }
    let value = patch?.optional("value") { (node) throws(ConfigError) in try node.jsonObject() }
    let filterClass = patch?.optional("filterClass") { (node) throws(ConfigError) in
      try node.enumeration(EnvoyFilter.FilterClass.self)
    }
    guard let applyTo, let patch, let operation else { return nil }
    var configPatch = EnvoyFilter.ConfigPatch(
      index: index, applyTo: applyTo, operation: operation,
      filterClass: filterClass ?? .unspecified,
      value: value)
    if let match = fields["match"] { configPatch.decodeMatch(match, problems) }
    configPatch.validate(patch: patch, at: node.path, problems)
    return configPatch
  }

  private mutating func decodeMatch(_ node: Node, _ problems: Problems) {
    let schema = Schema(
      fields: ["context", "proxy", "listener", "routeConfiguration", "cluster", "waypoint"])
    guard let fields = Fields(node, schema, problems) else { return }
    context =
      fields.optional("context") { (node) throws(ConfigError) in
        try node.enumeration(EnvoyFilter.Context.self)
      } ?? .any
    if context == .waypoint {
      problems.warning(
        .unsupported, at: fields.path["context"],
        "there are no waypoints in this version, so the patch applies nowhere")
    }
    if let proxy = fields["proxy"] { self.proxy = .decode(proxy, problems) ?? self.proxy }
    fields.exclusive("listener", "routeConfiguration", "cluster", "waypoint")
    if let listener = fields["listener"] {
      match =
        EnvoyFilter.ListenerMatch.decode(listener, applyTo, problems).map { .listener($0) }
        ?? .none
    } else if let route = fields["routeConfiguration"] {
      match =
        EnvoyFilter.RouteConfigurationMatch.decode(route, problems).map { .routeConfiguration($0) }
        ?? .none
    } else if let cluster = fields["cluster"] {
      match = EnvoyFilter.ClusterMatch.decode(cluster, problems).map { .cluster($0) } ?? .none
    } else if let waypoint = fields["waypoint"] {
      _ = Fields(waypoint, Schema(fields: ["portNumber", "filter", "route"]), problems)
      match = .waypoint(waypoint.json)
      problems.warning(
        .unsupported, at: waypoint.path,
        "there are no waypoints in this version, so the patch applies nowhere")
    }
  }
}

extension Fields {
  func string(_ name: String) -> String {
    optional(name) { (node) throws(ConfigError) in try node.string() } ?? ""
  }

  func strings(_ name: String) -> [String] {
    optional(name) { (node) throws(ConfigError) in try node.strings() } ?? []
  }

  func number(_ name: String) -> UInt32 {
    optional(name) { (node) throws(ConfigError) in try node.integer(UInt32.self) } ?? 0
  }

  func bool(_ name: String) -> Bool {
    optional(name) { (node) throws(ConfigError) in try node.bool() } ?? false
  }
}
