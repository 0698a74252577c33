// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EnvoyAPI
import JSON
import MeshModel
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
  var labels = LabelList()

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
      controlPlane: .tcp(host: xdsAddress.host, port: xdsAddress.port),
      adminHost: adminAddress.host, adminPort: adminAddress.port)
    // Envoy reads a bootstrap as the message itself, without the type URL of an Any.
    var members = ResourceJSON.message(bootstrap.message()).objectMembers ?? [:]
    members["@type"] = nil
    print(JSONValue.object(members).text(pretty: true))
  }
}

extension Proxy.Role: ExpressibleByArgument {}

/// `host:port` on the command line.
struct HostPort: ExpressibleByArgument, CustomStringConvertible {
  var host: String
  var port: UInt16

  init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let port = UInt16(argument[argument.index(after: colon)...]), colon > argument.startIndex
    else { return nil }
    var host = argument[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    self.init(host: String(host), port: port)
  }

  var description: String { "\(host):\(port)" }
}
