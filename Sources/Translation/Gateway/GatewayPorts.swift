// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Which ports a gateway serves: the servers of its Gateways, merged as far as one listener can
/// carry them.
///
/// The oldest Gateway comes first and stays; a server that does not fit beside it is left out, and
/// everything else is served.
struct GatewayPorts {
  /// By port, then address.
  private(set) var ports: [GatewayPort] = []
  private(set) var problems: [ConfigError] = []

  private struct Key: Hashable {
    var number: UInt16
    var bind: String
  }

  private var merged: [Key: GatewayPort] = [:]
  private let proxy: ProxyClass

  init(_ scope: ProxyScope) {
    proxy = scope.proxy
    for gateway in scope.mesh.gateways where gateway.selector.matches(proxy.labels) {
      var names: Set<String> = []
      for server in gateway.servers {
        if !server.name.isEmpty, !names.insert(server.name).inserted {
          report(
            .conflict, gateway, server.path["name"],
            "the server name \(server.name) is already used by another server")
          continue
        }
        add(GatewayPort.Server(gateway: gateway, server: server))
      }
    }
    ports = merged.values.sorted { ($0.number, $0.bind) < ($1.number, $1.bind) }
  }

  private mutating func add(_ server: GatewayPort.Server) {
    var server = server
    let (gateway, path) = (server.gateway, server.server.path)
    let bind = server.server.bind
    guard bind.isEmpty || IPAddress.isValid(bind) else {
      return report(
        .invalid, gateway, path["bind"], "expected an IP address, found \"\(bind)\"")
    }
    if server.server.tls?.mode == .istioMutual, !server.takeWorkloadCertificate(of: proxy) {
      return report(
        .unsupported, gateway, path["tls"]["mode"],
        "ISTIO_MUTUAL needs a certificate of the mesh, which this version does not issue: give the "
          + "proxy node metadata "
          + Gateway.TLSSettings.workloadCertificateMetadata.joined(separator: ", ")
          + " with the paths of its own, or use MUTUAL with a credentialName")
    }
    for number in targetPorts(of: server.server.port) {
      if number < 1024, proxy.metadata["UNPRIVILEGED_POD"] == "true" {
        report(
          .unavailable, gateway, path["port"]["number"],
          "port \(number) needs privileges that the proxy does not have (UNPRIVILEGED_POD)")
        continue
      }
      let key = Key(number: number, bind: bind == "0.0.0.0" ? "" : bind)
      guard var port = merged[key] else {
        merged[key] = GatewayPort(number: number, bind: key.bind, servers: [server])
        continue
      }
      if let reason = port.conflict(with: server) {
        report(.conflict, gateway, path["port"], reason)
        continue
      }
      port.servers.append(server)
      merged[key] = port
    }
  }

  private mutating func report(
    _ code: ConfigError.Code, _ gateway: Gateway, _ path: FieldPath, _ reason: String
  ) {
    problems.append(
      ConfigError(
        code, object: gateway.ref, at: path, reason: "\(reason); the server is left out"))
  }

  /// The ports of the workload behind a Service port; the port itself where no Service is known,
  /// as Istio does for gateways that are selected by labels.
  private func targetPorts(of port: UInt16) -> [UInt16] {
    let targets = Set(proxy.instances.filter { $0.servicePort == port }.map(\.targetPort))
    return targets.isEmpty ? [port] : targets.sorted()
  }
}

extension GatewayPort {
  /// Why a server cannot join those that are there; nil where it can.
  fileprivate func conflict(with other: Server) -> String? {
    guard let first = servers.first else { return nil }
    if first.traffic == .http, other.traffic == .http { return nil }
    if first.traffic.isEncrypted, other.traffic.isEncrypted {
      for server in servers {
        let taken = Set(server.serverNames)
        if let name = other.serverNames.first(where: taken.contains) {
          return "\(name) is already served with TLS on \(listenerName) by \(server.place)"
        }
      }
      return nil
    }
    return "\(listenerName) already serves \(first.server.portProtocol.rawValue) by "
      + "\(first.place), which \(other.server.portProtocol.rawValue) cannot share"
  }
}

extension GatewayPort.Server {
  /// Makes ISTIO_MUTUAL read the files of the workload's own certificate; false where it has none.
  fileprivate mutating func takeWorkloadCertificate(of proxy: ProxyClass) -> Bool {
    let files = Gateway.TLSSettings.workloadCertificateMetadata.map { proxy.metadata[$0] ?? "" }
    guard !files.contains("") else { return false }
    server.tls?.certificates = .files([.init(certificate: files[0], privateKey: files[1])])
    server.tls?.caCertificates = files[2]
    return true
  }

  fileprivate var place: String { "\(gateway.ref) \(server.path)" }
}
