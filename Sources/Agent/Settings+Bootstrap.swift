// SPDX-License-Identifier: Apache-2.0

package import EnvoyAPI
import JSON
import MeshModel
import Serving
import SwiftProtobuf

/// What Envoy is started with, and what skiffd is told of it.
extension Settings {
  package func bootstrap() -> ProxyBootstrap {
    let (name, namespace) = (node.name, node.namespace)
    return ProxyBootstrap(
      nodeID: "\(node.role.rawValue)~\(node.ip)~\(name).\(namespace)"
        + "~\(namespace).svc.cluster.local",
      cluster: "\(name).\(namespace)",
      metadata: Google_Protobuf_Struct(metadata), controlPlane: .pipe(path: socketPath),
      adminHost: adminAddress.host, adminPort: UInt16(clamping: adminAddress.port))
  }

  /// The file of the bootstrap: the same text for the same settings.
  package func bootstrapText() throws -> String {
    var file = try JSONValue(parsing: Array(bootstrap().json().utf8)).objectMembers ?? [:]
    var node = file["node"]?.objectMembers ?? [:]
    // A Struct has no order; what the flags and the environment say has one.
    node["metadata"] = .object(metadata)
    file["node"] = .object(node)
    return JSONValue.object(file).text(pretty: true) + "\n"
  }

  /// As Istio's agent makes it: `ISTIO_META_<KEY>` is a text, `ISTIO_METAJSON_<NAME>` an object
  /// whose members are added; then what the flags say.
  var metadata: JSONObject {
    var metadata = JSONObject()
    let variables = metadataVariables.sorted { $0.key < $1.key }
    for (name, value) in variables where name.hasPrefix("ISTIO_META_") {
      metadata[String(name.dropFirst("ISTIO_META_".count))] = .string(value)
    }
    for (name, value) in variables where name.hasPrefix("ISTIO_METAJSON_") {
      let members = try? JSONValue(parsing: Array(value.utf8)).objectMembers
      for (key, value) in members ?? [:] { metadata[key] = value }
    }
    // No name of Istio's own, but one that mesh configurations have for their proxies.
    if metadata[Proxy.wasmSwitch] == nil, let text = metadataVariables[Proxy.wasmSwitch] {
      metadata[Proxy.wasmSwitch] = .string(text)
    }
    metadata["NAME"] = .string(node.name)
    metadata["NAMESPACE"] = .string(node.namespace)
    // An Istio injector gives labels as JSON; flags add to them, and win.
    let labels = metadata["LABELS"]?.objectMembers ?? JSONObject()
    let own = node.labels.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
    metadata["LABELS"] = .object(pairs: labels.map { ($0.key, $0.value) } + own)
    return metadata
  }

  /// The environment, and below it ProxyConfig's proxyMetadata, which Istio makes part of it.
  private var metadataVariables: [String: String] {
    let config = environment["PROXY_CONFIG"].flatMap { try? JSONValue(parsing: Array($0.utf8)) }
    let members = config?["proxyMetadata"]?.objectMembers ?? JSONObject()
    let configured = members.reduce(into: [:]) { $0[$1.key] = $1.value.stringValue }
    return configured.merging(environment) { _, process in process }
  }

  /// `XDS_HEADER_<name>`, and the cluster for Istio's sake.
  var headers: [ADSRelay.Header] {
    let cluster = metadata["CLUSTER_ID"]?.stringValue.map {
      [ADSRelay.Header(name: "clusterid", value: $0)]
    }
    return environment.sorted { $0.key < $1.key }
      .compactMap { name, value in
        guard name.hasPrefix("XDS_HEADER_") else { return nil }
        return ADSRelay.Header(
          name: name.dropFirst("XDS_HEADER_".count).lowercased(), value: value)
      } + (cluster ?? [])
  }
}
