// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import JSON
import MeshModel

/// `skiffctl proxy-status`: whether every proxy runs what was pushed.
struct ProxyStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxy-status",
    abstract: "For each proxy and type: SYNCED, STALE, NOT_SENT or ERROR.", aliases: ["ps"])

  @Option(help: "The HTTP address of skiffd.")
  var skiffd = "127.0.0.1:8080"

  @Option(name: [.short, .customLong("output")], help: "json for /debug/syncz as it is.")
  var output: JSONOutput?

  private static let types: [TypeURL] = [.cluster, .listener, .endpoint, .route, .extensionConfig]

  func run() async throws {
    let status = try await DebugClient(address: skiffd).get("/debug/syncz")
    guard output == nil else { return print(status.text(pretty: true)) }
    let proxies = status.arrayElements ?? []
    let heading = ["NAME", "TYPE"] + Self.types.compactMap(\.shortName) + ["VERSION"]
    print(table(heading, proxies.map(row)), terminator: "")
    for (proxy, type, error) in errors(proxies) {
      printError("\(proxy): \(type): \(error)")
    }
  }

  private func row(_ proxy: JSONValue) -> [String] {
    let states = Self.types.map { type in
      proxy["resources"]?[type.rawValue]?["status"]?.stringValue ?? "-"
    }
    return [proxy["proxy"]?.stringValue ?? "", proxy["proxy_type"]?.stringValue ?? ""] + states
      + [proxy["istio_version"]?.stringValue ?? ""]
  }

  /// What istioctl's default table hides: the text of each rejection.
  private func errors(_ proxies: [JSONValue]) -> [(String, String, String)] {
    proxies.flatMap { proxy in
      (proxy["resources"]?.objectMembers ?? [:]).compactMap { resource in
        resource.value["lastError"]?.stringValue.map { error in
          let objects = (resource.value["objects"]?.arrayElements ?? []).compactMap(\.stringValue)
          let type = TypeURL(rawValue: resource.key).shortName ?? resource.key
          return (
            proxy["proxy"]?.stringValue ?? "", type,
            objects.isEmpty ? error : "\(objects.joined(separator: ", ")): \(error)"
          )
        }
      }
    }
  }
}
