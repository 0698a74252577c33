// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension LocalityLoadBalancing {
  private static let schema = Schema(fields: [
    "distribute", "failover", "failoverPriority", "enabled",
  ])

  static func decode(_ node: Node, _ problems: Problems) -> LocalityLoadBalancing? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    fields.exclusive("distribute", "failover")
    fields.exclusive("distribute", "failoverPriority")
    var balancing = LocalityLoadBalancing()
    balancing.isEnabled = !fields.has("enabled") || fields.bool("enabled")
    var sources: Set<String> = []
    balancing.distribute = fields.each("distribute") { node in
      guard let distribution = Distribution.decode(node, problems) else { return nil }
      if !sources.insert(distribution.from).inserted {
        problems.error(
          .conflict, at: node.path["from"], "\(distribution.from) is already distributed")
      }
      return distribution
    }
    balancing.failover = fields.each("failover") { Failover.decode($0, problems) }
    balancing.failoverPriority = fields.strings("failoverPriority")
    for (index, label) in balancing.failoverPriority.enumerated()
    where label.isEmpty || label.hasPrefix("=") {
      problems.error(
        at: fields.path["failoverPriority"][index], "expected the name of a label, or name=value")
    }
    return balancing
  }
}

extension LocalityLoadBalancing.Distribution {
  fileprivate static func decode(
    _ node: Node, _ problems: Problems
  ) -> LocalityLoadBalancing.Distribution? {
    guard let fields = Fields(node, Schema(fields: ["from", "to"]), problems) else { return nil }
    let from = fields.required("from") { (node) throws(ConfigError) in
      try node.locality()
    }
    guard let to = fields["to"] else {
      problems.error(.required, at: fields.path["to"], "is required")
      return nil
    }
    guard case .object(let members) = to.value.content else {
      problems.add(to.expected("weights in percent by locality"))
      return nil
    }
    var weights: [String: UInt32] = [:]
    for member in members {
      let node = Node(member.value, at: to.path[member.key])
      if let fault = Locality.fault(in: member.key) { problems.error(at: node.path, fault) }
      weights[member.key] = problems.catching { () throws(ConfigError) in
        try node.integer(UInt32.self, in: 1...100)
      }
    }
    let total = weights.values.reduce(0, +)
    if weights.count == members.count, total != 100 {
      problems.error(at: to.path, "expected weights that add up to 100, found \(total)")
    }
    guard let from else { return nil }
    return LocalityLoadBalancing.Distribution(from: from, to: weights)
  }
}

extension LocalityLoadBalancing.Failover {
  fileprivate static func decode(
    _ node: Node, _ problems: Problems
  ) -> LocalityLoadBalancing.Failover? {
    guard let fields = Fields(node, Schema(fields: ["from", "to"]), problems) else { return nil }
    let region = { (node: Node) throws(ConfigError) in
      let region = try node.text()
      guard !region.contains("/"), !region.contains("*") else {
        throw node.expected("the name of a region")
      }
      return region
    }
    guard let from = fields.required("from", region), let to = fields.required("to", region)
    else { return nil }
    if from == to { problems.error(at: fields.path["to"], "is the region that fails") }
    return LocalityLoadBalancing.Failover(from: from, to: to)
  }
}

/// The rules for the localities in a `distribute`.
private enum Locality {
  static func fault(in text: String) -> String? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 3, parts.allSatisfy({ !$0.isEmpty }) else {
      return "expected region, region/zone or region/zone/subzone, found \"\(text)\""
    }
    guard parts.dropLast().allSatisfy({ !$0.contains("*") }),
      parts.last.map({ $0 == "*" || !$0.contains("*") }) ?? false
    else { return "may have * only as its last part, found \"\(text)\"" }
    return nil
  }
}

extension Node {
  fileprivate func locality() throws(ConfigError) -> String {
    let text = try text()
    if let fault = Locality.fault(in: text) { throw invalid(fault) }
    return text
  }
}
