// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// One listener of a gateway: the servers of all Gateways that share an address and a port.
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
  var routeName: String { bind.isEmpty ? "http.\(number)" : "http.\(number).\(bind)" }
}

/// Which ports a gateway serves.
///
/// Servers that are not plain HTTP are not acted on; reading the Gateway has said so.
struct GatewayPorts {
  /// By port, then address.
  private(set) var ports: [GatewayPort] = []
  private(set) var problems: [ConfigError] = []

  private struct Key: Hashable {
    var number: UInt16
    var bind: String
  }

  init(_ scope: ProxyScope) {
    var servers: [Key: [GatewayPort.Server]] = [:]
    for gateway in scope.mesh.gateways where gateway.selector.matches(scope.proxy.labels) {
      for server in gateway.servers where server.portProtocol.isPlainHTTP {
        guard server.bind.isEmpty || IPAddress.isValid(server.bind) else {
          problems.append(
            ConfigError(
              .invalid, object: gateway.ref, at: server.path["bind"],
              reason: "expected an IP address, found \"\(server.bind)\"; the server is left out"))
          continue
        }
        let bind = server.bind == "0.0.0.0" ? "" : server.bind
        for number in Self.targetPorts(of: server.port, scope.proxy.instances) {
          servers[Key(number: number, bind: bind), default: []].append(
            GatewayPort.Server(gateway: gateway, server: server))
        }
      }
    }
    ports = servers.map { GatewayPort(number: $0.number, bind: $0.bind, servers: $1) }
      .sorted { ($0.number, $0.bind) < ($1.number, $1.bind) }
  }

  /// The ports of the workload behind a Service port; the port itself where no Service is known,
  /// as Istio does for gateways that are selected by labels.
  private static func targetPorts(
    of port: UInt16, _ instances: [ProxyClass.ServiceInstance]
  ) -> [UInt16] {
    let targets = Set(instances.filter { $0.servicePort == port }.map(\.targetPort))
    return targets.isEmpty ? [port] : targets.sorted()
  }
}
