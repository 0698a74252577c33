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
    abstract: "Print a bootstrap for an Envoy that skiffd configures (envoy -c FILE).")

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
    let bootstrap = ProxyBootstrap(
      nodeID: "\(type.rawValue)~\(ip)~\(id).\(namespace)~\(namespace).svc.cluster.local",
      cluster: "\(id).\(namespace)", metadata: metadata,
      controlPlane: .tcp(host: xdsAddress.host, port: UInt16(clamping: xdsAddress.port)),
      adminHost: adminAddress.host, adminPort: UInt16(clamping: adminAddress.port))
    // Envoy reads a bootstrap as the message itself, without the type URL of an Any.
    var members = ResourceJSON.message(bootstrap.message()).objectMembers ?? [:]
    members["@type"] = nil
    print(JSONValue.object(members).text(pretty: true))
  }
}
