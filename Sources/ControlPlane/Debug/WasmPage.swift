// SPDX-License-Identifier: Apache-2.0

import AgentAPI
import JSON
import MeshModel
import SwiftProtobuf
import XDSServer

/// `/debug/wasmz`: the Wasm modules of each proxy, as the agent beside it reports them.
enum WasmPage {
  /// `{"modules": {"READY": n, …}, "proxies": [{proxy, connectionId, modules: […]}]}`.
  ///
  /// Proxies without an agent, or without modules, are left out.
  static func json(_ clients: [ClientReport]) -> JSONValue {
    let all = clients.flatMap(\.modules)
    let counts = Dictionary(grouping: all, by: \.phase.text).mapValues(\.count)
    let proxies = clients.filter { !$0.modules.isEmpty }.map { client -> JSONValue in
      [
        "proxy": .string(client.proxy.name),
        "connectionId": .string(client.connectionID),
        "modules": .array(client.modules.map(module)),
      ]
    }
    return [
      "modules": .object(
        pairs: counts.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) }),
      "proxies": .array(proxies),
    ]
  }

  static func module(_ status: Skiff_Agent_V1_WasmModuleStatus) -> JSONValue {
    var pairs: [(String, JSONValue)] = [
      ("resource", .string(status.resource)), ("plugin", .string(status.plugin)),
      ("url", .string(status.url)), ("phase", .string(status.phase.text)),
      ("sha256", .string(status.sha256)), ("attempts", .integer(Int(status.attempts))),
    ]
    if status.refused { pairs.append(("refused", true)) }
    if !status.fallback.isEmpty { pairs.append(("fallback", .string(status.fallback))) }
    if !status.error.isEmpty { pairs.append(("error", .string(status.error))) }
    if status.hasNextAttempt {
      pairs.append(("nextAttempt", .string(WallClock.text(status.nextAttempt.date))))
    }
    return .object(pairs: pairs)
  }
}

extension Skiff_Agent_V1_WasmModuleStatus {
  /// Whether Envoy runs something else than what was asked for.
  var isDegraded: Bool { phase != .ready }
}
