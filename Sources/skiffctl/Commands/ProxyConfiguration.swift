// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import JSON

/// `skiffctl proxy-config`: what one connected proxy gets.
struct ProxyConfiguration: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxy-config",
    abstract: "Print the listeners, routes, clusters, endpoints, secrets or extensions of a proxy.",
    aliases: ["pc"])

  enum Kind: String, CaseIterable, ExpressibleByArgument {
    case all
    case cluster
    case listener
    case route
    case endpoint
    case secret
    case ecds

    /// The short name on `/debug/config_dump?types=`.
    var xdsType: String {
      switch self {
      case .all: "cds,lds,rds,eds,sds,ecds"
      case .cluster: "cds"
      case .listener: "lds"
      case .route: "rds"
      case .endpoint: "eds"
      case .secret: "sds"
      case .ecds: "ecds"
      }
    }
  }

  @Argument(help: "all, cluster, listener, route, endpoint, secret or ecds.")
  var type: Kind

  @Argument(help: "The proxy: its node id, its name, or a part of either.")
  var proxy: String

  @Option(help: "The HTTP address of skiffd.")
  var skiffd = "127.0.0.1:8080"

  @Option(name: [.short, .customLong("output")], help: "json or yaml for the whole resources.")
  var output: OutputFormat?

  func run() async throws {
    let id = proxy.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? proxy
    let client = DebugClient(address: skiffd)
    let kinds = type == .all ? Kind.allCases.filter { $0 != .all } : [type]
    if let output {
      let dump = try await client.get("/debug/config_dump?proxyID=\(id)&types=\(type.xdsType)")
      return print(output.text(dump["configs"] ?? []), terminator: "")
    }
    for kind in kinds {
      let dump = try await client.get("/debug/config_dump?proxyID=\(id)&types=\(kind.xdsType)")
      print(ResourceTable.text(kind, dump["configs"]?.arrayElements ?? []), terminator: "")
      if kind != kinds.last { print() }
    }
  }
}
