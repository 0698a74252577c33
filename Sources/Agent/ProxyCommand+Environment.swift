// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Flags that come from the environment.
extension ProxyCommand {
  /// A flag, and the variable of Istio's agent that means the same.
  private struct Variable {
    var flag: String
    var istio: String?
    var isList = false
    var isBool = false
  }

  private static let variables = [
    Variable(flag: "type"), Variable(flag: "id", istio: "POD_NAME"),
    Variable(flag: "namespace", istio: "POD_NAMESPACE"), Variable(flag: "labels"),
    Variable(flag: "ip", istio: "INSTANCE_IP"), Variable(flag: "xds-address"),
    Variable(flag: "data-dir"), Variable(flag: "status-address"),
    Variable(flag: "admin-address"), Variable(flag: "envoy"),
    Variable(flag: "drain-duration", istio: "MINIMUM_DRAIN_DURATION"),
    Variable(
      flag: "exit-on-zero-connections", istio: "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", isBool: true),
    Variable(flag: "log-level"), Variable(flag: "log-format"), Variable(flag: "wasm-failure"),
    Variable(
      flag: "wasm-interception", istio: "ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION",
      isBool: true),
    Variable(flag: "wasm-ca-bundle", isList: true), Variable(flag: "wasm-mirror", isList: true),
    Variable(flag: "wasm-insecure-registry", istio: "WASM_INSECURE_REGISTRIES", isList: true),
    Variable(flag: "wasm-blocked-range", istio: "BLOCKED_CIDRS_IN_WASM_FETCH", isList: true),
    Variable(flag: "wasm-request-timeout", istio: "WASM_HTTP_REQUEST_TIMEOUT"),
    Variable(flag: "wasm-request-attempts", istio: "WASM_HTTP_REQUEST_MAX_RETRIES"),
    Variable(flag: "wasm-max-size", istio: "ISTIO_WASM_MAX_BINARY_SIZE_BYTES"),
    Variable(flag: "wasm-cache-size"), Variable(flag: "wasm-expiry", istio: "WASM_MODULE_EXPIRY"),
    Variable(flag: "wasm-purge-interval", istio: "WASM_PURGE_INTERVAL"),
    Variable(flag: "wasm-crash-at"),
  ]

  /// Adds what the environment says for the flags that the command line leaves out.
  ///
  /// - Parameters:
  ///   - arguments: the command line without the program's name; only `proxy …` is added to.
  ///   - environment: the process's environment; an empty variable is the same as none.
  /// - Returns: the command line to parse.
  package static func completing(
    _ arguments: [String], from environment: [String: String]
  ) -> [String] {
    guard arguments.first == configuration.commandName else { return arguments }
    let flags = arguments.prefix { $0 != "--" }
    var found: [String] = []
    for variable in variables {
      let flag = "--\(variable.flag)"
      guard !flags.contains(where: { $0 == flag || $0.hasPrefix("\(flag)=") }) else { continue }
      let own = "SKIFF_" + variable.flag.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
      let names = [own] + (variable.istio.map { [$0] } ?? [])
      guard let text = names.compactMap({ environment[$0] }).first(where: { !$0.isEmpty }) else {
        continue
      }
      let values =
        variable.isList
        ? text.split(separator: ",").map { String($0.filter { $0 != " " }) }
        : [variable.isBool ? boolean(text) : text]
      // In one word, so that a value may begin with a dash.
      found += values.map { "\(flag)=\($0)" }
    }
    return flags + found + arguments.dropFirst(flags.count)
  }

  /// As Go reads one, which is how Istio's variables are written.
  private static func boolean(_ text: String) -> String {
    switch text {
    case "1", "t", "T", "TRUE", "True": "true"
    case "0", "f", "F", "FALSE", "False": "false"
    default: text
    }
  }
}
