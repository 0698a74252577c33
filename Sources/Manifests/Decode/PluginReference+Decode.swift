// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension PluginReference {
  private static let schema = Schema(fields: ["pluginName"])

  /// Reads `wasm`: one `{pluginName}`, or a list of them.
  static func list(_ fields: Fields) -> [PluginReference] {
    guard let node = fields["wasm"] else { return [] }
    guard case .list = node.value.content else {
      return name(node, fields.problems).map { [PluginReference(name: $0)] } ?? []
    }
    let elements = fields.optional("wasm") { (node) throws(ConfigError) in try node.list() } ?? []
    var names: Set<String> = []
    return elements.enumerated().compactMap { index, element in
      guard let name = name(element, fields.problems) else { return nil }
      if !names.insert(name).inserted {
        fields.problems.error(
          .conflict, at: element.path["pluginName"], "\(name) is already in this list")
      }
      return PluginReference(name: name, index: index)
    }
  }

  private static func name(_ node: Node, _ problems: Problems) -> String? {
    Fields(node, schema, problems)?.required("pluginName") { (node) throws(ConfigError) in
      try node.text()
    }
  }
}
