// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import JSON
import MeshModel
import XDS
import XDSServer

/// `/debug/syncz`, `/debug/adsz` and `/debug/connections`, in istiod's shapes.
enum ClientPages {
  static func connections(_ clients: [ClientReport]) -> JSONValue {
    let rows = clients.map { client -> JSONValue in
      [
        "connectionId": .string(client.connectionID),
        "connectedAt": .string(WallClock.text(client.connectedAt)),
        "address": .string(client.address),
        "wasmEnabled": .bool(client.proxy.runsWasm),
      ]
    }
    return ["totalClients": .integer(clients.count), "clients": .array(rows)]
  }

  static func adsz(_ clients: [ClientReport]) -> JSONValue {
    let rows = clients.map { client -> JSONValue in
      [
        "connectionId": .string(client.connectionID),
        "connectedAt": .string(WallClock.text(client.connectedAt)),
        "address": .string(client.address),
        "labels": .object(strings: client.proxy.labels),
        "metadata": client.proxy.rawMetadata,
        "locality": .string(client.proxy.locality),
        "watches": .object(
          pairs: client.types.map { ($0.typeURL.rawValue, .array(names($0).map(JSONValue.string))) }
        ),
      ]
    }
    return ["totalClients": .integer(clients.count), "clients": .array(rows)]
  }

  static func syncz(_ clients: [ClientReport]) -> JSONValue {
    .array(clients.map(syncRow))
  }

  private static func syncRow(_ client: ClientReport) -> JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("cluster_id", .string(client.proxy.clusterID)),
      ("proxy", .string(client.proxy.name)),
      ("proxy_type", .string(client.proxy.role.rawValue)),
      ("istio_version", .string(client.proxy.istioVersion ?? "")),
    ]
    for report in client.types {
      guard let prefix = istioPrefixes[report.typeURL] else { continue }
      pairs.append(("\(prefix)_sent", .string(report.sentNonce?.rawValue ?? "")))
      pairs.append(("\(prefix)_acked", .string(report.ackedNonce?.rawValue ?? "")))
    }
    let resources = client.types.map { report in
      let modules = client.modules.filter { $0.typeURL == report.typeURL.rawValue }
      return (report.typeURL.rawValue, resource(report, modules: modules))
    }
    pairs.append(("resources", .object(pairs: resources)))
    return .object(pairs: pairs)
  }

  /// A type that is in sync while a Wasm module is not what was asked for counts as degraded.
  private static func resource(
    _ report: TypeReport, modules: [Skiff_Agent_V1_WasmModuleStatus]
  ) -> JSONValue {
    let degraded = modules.filter(\.isDegraded)
    let isDegraded = report.status == .synced && !degraded.isEmpty
    var pairs: [(String, JSONValue)] = [
      ("status", .string(isDegraded ? "DEGRADED" : report.status.rawValue)),
      ("sent", .string(report.sentNonce?.rawValue ?? "")),
      ("acked", .string(report.ackedNonce?.rawValue ?? "")),
      ("sentVersion", .string(report.sentVersion.map { "\($0)" } ?? "")),
      ("ackedVersion", .string(report.ackedVersion.map { "\($0)" } ?? "")),
    ]
    if let sentAt = report.sentAt { pairs.append(("sentTime", .string(WallClock.text(sentAt)))) }
    if let rejection = report.rejections.last {
      pairs.append(("lastError", .string(rejection.reason)))
      pairs.append(("objects", .array(rejection.origins.map { .string("\($0)") })))
    }
    if !degraded.isEmpty { pairs.append(("degraded", .array(degraded.map(WasmPage.module)))) }
    return .object(pairs: pairs)
  }

  private static func names(_ report: TypeReport) -> [String] {
    report.isWildcard ? ["*"] + report.names.sorted() : report.names.sorted()
  }

  private static let istioPrefixes: [TypeURL: String] = [
    .cluster: "cluster", .listener: "listener", .route: "route", .endpoint: "endpoint",
    .extensionConfig: "extensionconfig",
  ]
}
