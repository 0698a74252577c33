// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import MeshModel
import SwiftProtobuf

extension Proxy {
  /// The proxy that a node on the wire describes.
  ///
  /// - Throws: As `Proxy.init(nodeID:metadata:locality:)`.
  init(node: Envoy_Config_Core_V3_Node) throws(ConfigError) {
    let locality = [node.locality.region, node.locality.zone, node.locality.subZone]
      .filter { !$0.isEmpty }
    try self.init(
      nodeID: node.id, metadata: JSONValue(node.metadata),
      locality: locality.joined(separator: "/"))
  }
}

extension JSONValue {
  /// A Struct as JSON, with its members by name.
  fileprivate init(_ structure: Google_Protobuf_Struct) {
    self = .object(
      pairs: structure.fields.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) })
  }

  private init(_ value: Google_Protobuf_Value) {
    switch value.kind {
    case .none, .nullValue: self = .null
    case .boolValue(let value): self = .bool(value)
    case .numberValue(let value): self = JSONNumber(value).map(JSONValue.number) ?? .null
    case .stringValue(let text): self = .string(text)
    case .listValue(let list): self = .array(list.values.map(JSONValue.init))
    case .structValue(let structure): self = JSONValue(structure)
    }
  }
}
