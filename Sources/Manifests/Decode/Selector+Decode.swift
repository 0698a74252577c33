// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension LabelSelector {
  private static let workload = Schema(fields: ["labels"])
  private static let policy = Schema(fields: ["matchLabels"])

  /// Istio's WorkloadSelector with `labels`, or its policy form with `matchLabels`.
  static func decode(_ node: Node, field: String, _ problems: Problems) -> LabelSelector? {
    guard let fields = Fields(node, field == "labels" ? workload : policy, problems) else {
      return nil
    }
    let labels = fields.optional(field) { (node) throws(ConfigError) in try node.stringMap() }
    if let labels {
      for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
        let path = fields.path[field]
        if key.isEmpty { problems.error(at: path, "a label has an empty name") }
        if key.contains("*") || value.contains("*") {
          problems.error(at: path[key], "a selector may not have wildcards")
        }
      }
    }
    if labels?.isEmpty ?? !fields.has(field) {
      problems.warning(.invalid, at: node.path, "selects every workload, as it has no labels")
    }
    return LabelSelector(matchLabels: labels ?? [:])
  }
}

extension PolicyTargetReference {
  private static let schema = Schema(fields: ["group", "kind", "name", "namespace"])
  private static let kinds = [
    ("gateway.networking.k8s.io", "Gateway"), ("gateway.networking.k8s.io", "GatewayClass"),
    ("", "Service"), ("networking.istio.io", "ServiceEntry"),
  ]

  static func decode(_ node: Node, _ problems: Problems) -> PolicyTargetReference? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let text = { (node: Node) throws(ConfigError) in try node.string() }
    let kind = fields.required("kind", text)
    let name = fields.required("name") { (node) throws(ConfigError) in try node.text() }
    let group = fields.optional("group", text) ?? ""
    if let namespace = fields["namespace"] {
      problems.error(at: namespace.path, "must be empty: a target is in the object's own namespace")
    }
    guard let kind, let name else { return nil }
    guard kinds.contains(where: { $0 == (group == "core" ? "" : group) && $1 == kind }) else {
      problems.error(
        at: node.path,
        "expected a Gateway, GatewayClass, Service or ServiceEntry, found \(kind) of \"\(group)\"")
      return nil
    }
    if kind != "Gateway" {
      problems.warning(
        .unsupported, at: node.path,
        "a \(kind) is no target that this version attaches to; only a Gateway of the Gateway API is"
      )
    }
    return PolicyTargetReference(group: group == "core" ? "" : group, kind: kind, name: name)
  }
}

extension Fields {
  /// `targetRefs`, or the older `targetRef` where only that is written.
  func targetReferences() -> [PolicyTargetReference] {
    var references = each("targetRefs") { PolicyTargetReference.decode($0, problems) }
    if references.count > 16 {
      problems.error(
        at: path["targetRefs"], "expected at most 16 targets, found \(references.count)")
    }
    if references.isEmpty, let single = self["targetRef"] {
      references = [PolicyTargetReference.decode(single, problems)].compactMap(\.self)
    }
    return references
  }

  /// At most one of some fields may be set.
  func exclusive(_ names: String...) {
    let written = names.filter(has)
    if written.count > 1 {
      problems.error(
        .conflict, at: path[written[1]],
        "only one of \(names.joined(separator: ", ")) may be set")
    }
  }
}
