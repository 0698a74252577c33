// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A connected Envoy, as the node of its first DiscoveryRequest describes it.
///
/// The id has Istio's form `type~ip~name.namespace~dnsDomain`, for example
/// `router~10.0.0.1~gw.ns~ns.svc.cluster.local`.
package struct Proxy: Hashable, Sendable {
  package enum Role: String, Hashable, Sendable, CaseIterable {
    case router
    case sidecar
  }

  /// The whole node id.
  package var nodeID: String
  package var role: Role
  package var ipAddresses: [String]
  /// The third part of the id: `gw.ns`.
  package var name: String
  package var namespace: String
  /// The suffix of short service names: `ns.svc.cluster.local`.
  package var dnsDomain: String
  package var labels: [String: String]
  /// Top-level strings of the node metadata: what EnvoyFilter's `match.proxy.metadata` sees.
  package var metadata: [String: String]
  /// The node metadata as it was sent.
  package var rawMetadata: JSONValue
  /// What it was told about itself when it was started; nil where that is not said.
  package var gatewayTopology: GatewayTopology?
  /// Node metadata ISTIO_VERSION, else nil.
  package var istioVersion: String?
  /// Node metadata CLUSTER_ID.
  package var clusterID: String
  /// `region/zone/subzone`, or empty.
  package var locality: String

  /// Reads a node.
  ///
  /// - Throws: `invalid` where the id has not four parts, the type is not served, or no IP address
  ///   is known, with the text that the proxy's log will show.
  package init(
    nodeID: String, metadata: JSONValue, locality: String = ""
  ) throws(ConfigError) {
    let parts = nodeID.split(separator: "~", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4 else {
      throw ConfigError(
        .invalid, at: FieldPath("node", "id"),
        reason: "expected type~ip~name.namespace~dnsDomain, found \"\(nodeID)\"")
    }
    guard let role = Role(rawValue: parts[0]) else {
      let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigError(
        .unsupported, at: FieldPath("node", "id"),
        reason: "expected a proxy type of \(known), found \"\(parts[0])\"")
    }
    let instanceIPs =
      metadata["INSTANCE_IPS"]?.stringValue?.split(separator: ",").map(String.init) ?? []
    ipAddresses = instanceIPs.isEmpty ? [parts[1]] : instanceIPs
    guard ipAddresses.allSatisfy({ !$0.isEmpty }) else {
      throw ConfigError(
        .required, at: FieldPath("node", "id"),
        reason: "expected an IP address in the second part or in metadata INSTANCE_IPS")
    }
    self.nodeID = nodeID
    self.role = role
    name = parts[2]
    dnsDomain = parts[3]
    namespace = metadata["NAMESPACE"]?.stringValue ?? Self.namespace(ofDomain: parts[3])
    labels = Self.strings(metadata["LABELS"])
    self.metadata = Self.strings(metadata)
    // Istio's agent sends what a proxy was started with, but not as metadata of its own.
    if self.metadata[Self.wasmSwitch] == nil {
      self.metadata[Self.wasmSwitch] =
        metadata["PROXY_CONFIG"]?["proxyMetadata"]?[Self.wasmSwitch]?.stringValue
    }
    gatewayTopology = metadata["PROXY_CONFIG"]?["gatewayTopology"].map(GatewayTopology.init)
    rawMetadata = metadata
    istioVersion = metadata["ISTIO_VERSION"]?.stringValue
    clusterID = metadata["CLUSTER_ID"]?.stringValue ?? ""
    self.locality = locality
  }

  /// The metadata that says whether the proxy runs Wasm: not if it is "false".
  package static let wasmSwitch = "WASM_ENABLED"

  package var runsWasm: Bool { metadata[Self.wasmSwitch] != "false" }

  /// The first label of a DNS domain with more than one part, as Istio derives it.
  private static func namespace(ofDomain domain: String) -> String {
    let parts = domain.split(separator: ".")
    return parts.count > 1 ? String(parts[0]) : ""
  }

  private static func strings(_ value: JSONValue?) -> [String: String] {
    guard let members = value?.objectMembers else { return [:] }
    return members.reduce(into: [:]) { strings, member in
      if let text = member.value.stringValue { strings[member.key] = text }
    }
  }
}
