// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import WasmModules

/// The configuration of a Wasm filter as its own message.
///
/// The HTTP filter and the network filter have the same one field, `PluginConfig config = 1`.
struct PluginMessage {
  private let config: Envoy_Extensions_Wasm_V3_PluginConfig
  private let failsOpen: Bool

  init(wasm: ArraySlice<UInt8>) throws(WireError) {
    let bytes = try WireMessage(wasm).merged(1) ?? []
    do {
      config = try .init(serializedBytes: Array(bytes))
    } catch {
      throw WireError(reason: "no PluginConfig in \(bytes.count) bytes")
    }
    let failOpen = try WireMessage(bytes).varint(5) ?? 0
    failsOpen = config.failurePolicy == .failOpen || failOpen != 0
  }

  func module(
    of site: ModuleSite, in resource: (_ plugin: String) -> String
  ) throws(WireError) -> ModuleUse? {
    let name = config.name.isEmpty ? site.filterName : config.name
    guard let code = config.vmConfig.code.specifier else { throw .noCode }
    guard case .remote(let remote) = code else { return nil }
    var use = ModuleUse(
      plugin: name, request: nil, failStrategy: failsOpen ? .open : .closed,
      isNetwork: site.isNetwork)
    guard remote.hasHTTPUri else { return use }
    let timeout = Duration(
      secondsComponent: remote.httpUri.timeout.seconds,
      attosecondsComponent: Int64(remote.httpUri.timeout.nanos) * 1_000_000_000)
    var request = ModuleRequest(
      plugin: resource(name), url: remote.httpUri.uri, sha256: remote.sha256,
      timeout: timeout > .zero ? timeout : ModuleUse.defaultTimeout)
    let variables = config.vmConfig.environmentVariables.keyValues
    try ModuleEnvironment { variables[$0] }.complete(&request)
    use.request = request
    return use
  }

  static func localizing(
    _ wasm: ArraySlice<UInt8>, _ file: String
  ) throws(WireError) -> WireMessage.Edit {
    try WireMessage(wasm).editing([1: .merged]) { _, config throws(WireError) in
      try WireMessage(config).editing([3: .merged]) { _, vm throws(WireError) in
        // VmConfig: the code, and the environment.
        try WireMessage(vm).editing([3: .merged, 7: .merged]) { number, value throws(WireError) in
          try number == 3 ? localCode(value, file) : publicEnvironment(value)
        }
      }
    }
  }

  // AsyncDataSource { DataSource local = 1 { string filename = 1 }; RemoteDataSource remote = 2 }
  private static func localCode(
    _ code: ArraySlice<UInt8>, _ file: String
  ) throws(WireError) -> WireMessage.Edit {
    let rest = try WireMessage(code).dropping([1, 2])
    return .replace(rest + WireMessage.field(1, WireMessage.field(1, file.utf8)))
  }

  /// `EnvironmentVariables { map<string, string> key_values = 2 }`, whose entries have key = 1.
  private static func publicEnvironment(
    _ environment: ArraySlice<UInt8>
  ) throws(WireError) -> WireMessage.Edit {
    let edit = try WireMessage(environment).editing([2: .repeated]) { _, entry throws(WireError) in
      let key = try WireMessage(entry).text(1) ?? ""
      return key.hasPrefix(ModuleEnvironment.prefix) ? .remove : .keep
    }
    return edit.applied(to: environment)?.isEmpty ?? true ? .remove : edit
  }
}

extension WireError {
  static let noCode = WireError(reason: "expected local or remote code, found neither")
}
