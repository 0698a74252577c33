// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EnvoyAPI
import Flags
import JSON
import MeshModel
import Serving
import SwiftProtobuf
import Translation

/// `skiffctl bootstrap`: the file that an Envoy is started with.
struct Bootstrap: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a bootstrap for an Envoy that skiffd configures (envoy -c FILE).",
    discussion: """
      With -f it has the metadata that MeshConfig, ProxyConfig and the pod's annotation \
      proxy.istio.io/config give to the proxy, and is what the BOOTSTRAP patches of EnvoyFilters make \
      of it. Problems go to standard error, and it exits with 1 where one is an error.
      """)

  @Option(
    name: [.short, .customLong("filename")],
    help: "Manifests: a file, a directory, or - for standard input.")
  var filenames: [String] = []

  @Option(help: "A file with Istio's MeshConfig, as skiffd's --mesh-config.")
  var meshConfig: String?

  @Option(help: "router or sidecar.")
  var type: Proxy.Role

  @Option(help: "The name of the proxy.")
  var id: String

  @Option(help: "The namespace of the proxy.")
  var namespace: String

  @Option(help: "The address of the proxy's workload.")
  var ip = "127.0.0.1"

  @Option(help: "The proxy's labels, which selectors match: k=v,…")
  var labels = Labels()

  @Option(help: "Where skiffd serves ADS: host:port.")
  var xdsAddress: HostPort

  @Option(help: "Where Envoy's admin interface listens: host:port.")
  var adminAddress = HostPort(host: "127.0.0.1", port: 15000)

  func run() throws {
    let mesh = OfflineMesh(paths: filenames, meshConfig: meshConfig)
    let (config, faults) = ProxySettings(
      mesh: mesh, name: id, namespace: namespace, labels: labels.pairs
    ).config()
    var metadata = config.nodeMetadata
    metadata["NAMESPACE"] = .string(namespace)
    metadata["LABELS"] = .object(strings: labels.pairs)
    let nodeID = "\(type.rawValue)~\(ip)~\(id).\(namespace)~\(namespace).svc.cluster.local"
    let bootstrap = ProxyBootstrap(
      nodeID: nodeID, cluster: "\(id).\(namespace)", metadata: Google_Protobuf_Struct(metadata),
      controlPlane: .tcp(host: xdsAddress.host, port: UInt16(clamping: xdsAddress.port)),
      adminHost: adminAddress.host, adminPort: UInt16(clamping: adminAddress.port))
    let proxy: Proxy
    do throws(ConfigError) {
      proxy = try Proxy(nodeID: nodeID, metadata: .object(metadata))
    } catch {
      throw ValidationError(error.reason)
    }
    let (message, patchFaults) = Translator(types: EnvoyTypes.pool)
      .patched(bootstrap.message(), by: mesh.snapshot, for: mesh.proxyClass(of: proxy))
    let problems = faults + patchFaults
    for problem in problems { printError(problem.line) }
    // Envoy reads a bootstrap as the message itself, without the type URL of an Any.
    var members = ResourceJSON.message(message).objectMembers ?? [:]
    members["@type"] = nil
    print(JSONValue.object(members).text(pretty: true))
    if problems.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }
}
