// SPDX-License-Identifier: Apache-2.0

import JSON
import Manifests
import MeshModel

/// Looks for the configuration that one proxy is started with.
struct ProxySettings {
  let mesh: OfflineMesh
  /// Of the proxy, and of its pod.
  let name: String
  let namespace: String
  let labels: [String: String]

  /// Kinds whose template has the pod's annotations.
  private static let controllers: Set<ObjectKind> = [
    ObjectKind(group: "apps", kind: "Deployment"), ObjectKind(group: "apps", kind: "StatefulSet"),
    ObjectKind(group: "apps", kind: "DaemonSet"), ObjectKind(group: "apps", kind: "ReplicaSet"),
  ]
  private static let pod = ObjectKind(group: "", kind: "Pod")
  /// Whose problems concern what is looked for.
  private static let carriers: Set<ObjectKind> = [
    .istioOperator, .configMap, .meshConfigFile, .proxyConfig,
  ]

  /// The configuration, and what is wrong with manifests as far as it may matter to a bootstrap.
  func config() -> (ProxyConfig, [ConfigError]) {
    let snapshot = mesh.snapshot
    // Of what is about something else only the errors, since what they refuse may be missing here.
    var problems = snapshot.problems.filter { problem in
      problem.severity == .error || problem.object.map { Self.carriers.contains($0.kind) } ?? true
    }
    let annotated = annotation().flatMap { object, text, path in
      ProxyConfig.reading(annotation: text, of: object, at: path, reporting: &problems)
    }
    let config = snapshot.proxyConfig(
      namespace: namespace, labels: labels, annotated: annotated)
    return (config, problems.map(snapshot.located))
  }

  /// Of the pod of the proxy's name, else of the workload of that name.
  private func annotation() -> (DecodedObject, String, FieldPath)? {
    let named = mesh.objects.filter { $0.ref.name == name && $0.ref.namespace == namespace }
    let pods = named.filter { $0.ref.kind == Self.pod }.map { ($0, FieldPath("metadata")) }
    let templates = named.filter { Self.controllers.contains($0.ref.kind) }
      .map { ($0, FieldPath("spec", "template", "metadata")) }
    for (object, path) in pods + templates {
      let metadata = path.components.reduce(Optional(object.json)) { json, component in
        if case .field(let field) = component { json?[field] } else { nil }
      }
      if let text = metadata?["annotations"]?[ProxyConfig.annotation]?.stringValue {
        return (object, text, path["annotations"][ProxyConfig.annotation])
      }
    }
    return nil
  }
}

extension ProxyConfig {
  /// As Istio's agent tells it: `ISTIO_META_X` as X, and the configuration itself.
  var nodeMetadata: JSONObject {
    var metadata = JSONObject()
    let variables = proxyMetadata.sorted { $0.key < $1.key }
    for (name, value) in variables where name.hasPrefix("ISTIO_META_") {
      metadata[String(name.dropFirst("ISTIO_META_".count))] = .string(value)
    }
    if let value = proxyMetadata[Proxy.wasmSwitch] { metadata[Proxy.wasmSwitch] = .string(value) }
    guard self != ProxyConfig() else { return metadata }
    var config = JSONObject()
    if !proxyMetadata.isEmpty { config["proxyMetadata"] = .object(strings: proxyMetadata) }
    if let concurrency { config["concurrency"] = .integer(concurrency) }
    if let gatewayTopology { config["gatewayTopology"] = gatewayTopology.json }
    metadata["PROXY_CONFIG"] = .object(config)
    return metadata
  }
}
