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
    discussion:
      "With -f it is what the BOOTSTRAP patches of EnvoyFilters make of it; problems go to "
      + "standard error, and it exits with 1 where one is an error.")

  @Option(
    name: [.short, .customLong("filename")],
    help: "EnvoyFilters to apply: a file, a directory, or - for standard input.")
  var filenames: [String] = []

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
    let metadata = Google_Protobuf_Struct.with {
      $0.fields["NAMESPACE"] = .with { $0.stringValue = namespace }
      $0.fields["LABELS"] = .with {
        $0.structValue.fields = labels.pairs.mapValues { text in .with { $0.stringValue = text } }
      }
    }
    let nodeID = "\(type.rawValue)~\(ip)~\(id).\(namespace)~\(namespace).svc.cluster.local"
    let bootstrap = ProxyBootstrap(
      nodeID: nodeID, cluster: "\(id).\(namespace)", metadata: metadata,
      controlPlane: .tcp(host: xdsAddress.host, port: UInt16(clamping: xdsAddress.port)),
      adminHost: adminAddress.host, adminPort: UInt16(clamping: adminAddress.port))
    let (message, problems) = try patched(bootstrap.message(), nodeID: nodeID)
    // Envoy reads a bootstrap as the message itself, without the type URL of an Any.
    var members = ResourceJSON.message(message).objectMembers ?? [:]
    members["@type"] = nil
    print(JSONValue.object(members).text(pretty: true))
    if problems.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }

  private func patched(
    _ message: Envoy_Config_Bootstrap_V3_Bootstrap, nodeID: String
  ) throws -> (Envoy_Config_Bootstrap_V3_Bootstrap, [ConfigError]) {
    guard !filenames.isEmpty else { return (message, []) }
    let metadata: JSONValue = [
      "NAMESPACE": .string(namespace), "LABELS": .object(strings: labels.pairs),
    ]
    let proxy: Proxy
    do throws(ConfigError) { proxy = try Proxy(nodeID: nodeID, metadata: metadata) } catch {
      throw ValidationError(error.reason)
    }
    let mesh = OfflineMesh(paths: filenames)
    let (patched, faults) = Translator(types: EnvoyTypes.pool)
      .patched(message, by: mesh.snapshot, for: mesh.proxyClass(of: proxy))
    // Of what is not about the bootstrap only the errors, since it may hide a patch.
    let problems = mesh.snapshot.problems.filter { $0.severity == .error } + faults
    for problem in problems { printError(problem.line) }
    return (patched, problems)
  }
}
