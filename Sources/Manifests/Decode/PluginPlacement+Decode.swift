// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension PluginPlacement {
  static let fieldNames = ["selector", "targetRefs", "phase", "priority", "match"]

  /// Reads the fields of a WasmPlugin or a TrafficExtension that say where it goes.
  static func decode(_ fields: Fields) -> PluginPlacement {
    let problems = fields.problems
    fields.exclusive("selector", "targetRef", "targetRefs")
    var placement = PluginPlacement()
    placement.selector = fields["selector"].flatMap {
      LabelSelector.decode($0, field: "matchLabels", problems)
    }
    placement.targetRefs = fields.targetReferences()
    (placement.phase, placement.priority) = order(fields)
    placement.match = fields.each("match") { TrafficSelector.decode($0, problems) }
    return placement
  }

  /// The fields that order plugins.
  static func order(_ fields: Fields) -> (Phase, Int32?) {
    let phase = fields.optional("phase") { (node) throws(ConfigError) in
      try node.enumeration(Phase.self)
    }
    let priority = fields.optional("priority") { (node) throws(ConfigError) in
      try node.integer(Int32.self)
    }
    return (phase ?? .unspecified, priority)
  }
}

extension PluginPlacement.TrafficSelector {
  static func decode(_ node: Node, _ problems: Problems) -> PluginPlacement.TrafficSelector? {
    guard let fields = Fields(node, Schema(fields: ["mode", "ports"]), problems) else { return nil }
    let mode = fields.optional("mode") { (node) throws(ConfigError) in
      try node.enumeration(Mode.self)
    }
    let ports = fields.each("ports") { node -> UInt16? in
      Fields(node, Schema(fields: ["number"]), problems)?.required("number") {
        (node) throws(ConfigError) in try node.port()
      }
    }
    return PluginPlacement.TrafficSelector(mode: mode ?? .undefined, ports: ports)
  }
}
