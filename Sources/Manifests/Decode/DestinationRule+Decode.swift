// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension DestinationRule {
  private static let schema = Schema(
    fields: ["host", "exportTo", "workloadSelector", "trafficPolicy", "subsets"])
  private static let subsetSchema = Schema(fields: ["name", "labels", "trafficPolicy"])

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/destination-rule/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> DestinationRule? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let host = fields.required("host") { (node) throws(ConfigError) in
      let host = try node.string()
      if let fault = DNSName.hostFault(host) { throw node.invalid("\"\(host)\" \(fault)") }
      return host
    }
    guard let host else { return nil }
    var rule = DestinationRule(meta: meta, host: host)
    rule.workloadSelector = fields["workloadSelector"].flatMap {
      LabelSelector.decode($0, field: "matchLabels", problems)
    }
    rule.exportTo = fields.exports(from: meta.namespace)
    if rule.workloadSelector != nil, rule.exportTo.contains(where: { $0 != "." }) {
      problems.error(
        .conflict, at: fields.path["exportTo"],
        "may only be \".\" beside workloadSelector, which selects workloads of the own namespace")
    }
    rule.trafficPolicy = fields["trafficPolicy"].flatMap { TrafficPolicy.decode($0, problems) }
    var names: Set<String> = []
    let subsets = fields.each("subsets") { $0 }
    for (index, node) in subsets.enumerated() {
      guard let subset = Subset.decode(node, index, subsetSchema, problems) else { continue }
      if !names.insert(subset.name).inserted {
        problems.error(
          .conflict, at: node.path["name"], "\(subset.name) is already the name of a subset")
      }
      rule.subsets.append(subset)
    }
    return rule
  }
}

extension DestinationRule.Subset {
  fileprivate static func decode(
    _ node: Node, _ index: Int, _ schema: Schema, _ problems: Problems
  ) -> DestinationRule.Subset? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let name = fields.required("name") { (node) throws(ConfigError) in
      let name = try node.string()
      if let fault = DNSName.labelFault(name) { throw node.invalid("\"\(name)\" \(fault)") }
      return name
    }
    let labels = fields.optional("labels") { (node) throws(ConfigError) in try node.stringMap() }
    guard let name else { return nil }
    return DestinationRule.Subset(
      index: index, name: name, labels: LabelSelector(matchLabels: labels ?? [:]),
      trafficPolicy: fields["trafficPolicy"].flatMap { TrafficPolicy.decode($0, problems) })
  }
}
