// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// One listener of a gateway: the servers of all Gateways that share an address and a port.
///
/// Either all of them are plain HTTP, or all are encrypted, or there is one that takes any bytes.
struct GatewayPort {
  /// A server of a Gateway, the oldest Gateway first.
  struct Server {
    var gateway: Gateway
    var server: Gateway.Server

    var origin: Origin { gateway.origin(at: server.path) }
    /// `namespace/name`, as VirtualServices refer to it.
    var gatewayName: String { "\(gateway.meta.namespace)/\(gateway.meta.name)" }
  }

  /// The port that the proxy listens on: the target port of the Service in front of it.
  var number: UInt16
  /// An address; empty for all.
  var bind: String
  var servers: [Server]

  var address: String { bind.isEmpty ? "0.0.0.0" : bind }
  var listenerName: String { "\(address)_\(number)" }

  /// The servers whose requests are routed, by the name of their route configuration.
  ///
  /// Plain HTTP shares one; with HTTPS each server has its own, as it has its own certificate.
  var routeConfigurations: [(name: String, servers: [Server])] {
    let suffix = bind.isEmpty ? "" : ".\(bind)"
    if servers.first?.traffic == .http { return [("http.\(number)\(suffix)", servers)] }
    return servers.filter { $0.traffic == .https }.map { ($0.encryptedRouteName + suffix, [$0]) }
  }
}

extension GatewayPort.Server {
  /// What the gateway does with the connections of a server.
  enum Traffic: Hashable {
    case http
    /// Decrypted, then routed.
    case https
    /// Decrypted, then forwarded.
    case decryptedTCP
    /// Forwarded as it is, chosen by SNI.
    case passthrough
    /// Forwarded as it is, to the service and port that the SNI names.
    case autoPassthrough
    case tcp

    var isEncrypted: Bool { self != .http && self != .tcp }
  }

  var traffic: Traffic {
    if server.portProtocol.isPlainHTTP { return .http }
    guard server.portProtocol.isTLS else { return .tcp }
    if server.tls?.mode == .autoPassthrough { return .autoPassthrough }
    guard server.tls?.mode.terminates ?? false else { return .passthrough }
    return server.portProtocol == .https ? .https : .decryptedTCP
  }

  /// The names that clients ask for by SNI: `*` alone where there is one, since it matches all.
  var serverNames: [String] { Self.serverNames(server.hosts.map(\.dnsName)) }

  /// In lower case, as Envoy compares, and each once.
  static func serverNames(_ hosts: [String]) -> [String] {
    var seen: Set<String> = []
    let names = hosts.map { $0.lowercased() }.filter { seen.insert($0).inserted }
    return names.contains("*") ? ["*"] : names
  }

  /// Istio's name, with the port of the Service rather than that of the workload.
  fileprivate var encryptedRouteName: String {
    "https.\(server.port).\(server.portName).\(gateway.meta.name).\(gateway.meta.namespace)"
  }
}
