// SPDX-License-Identifier: Apache-2.0

/// A `networking.istio.io` Gateway: the ports and hosts that gateway workloads serve.
package struct Gateway: ConfigObject {
  package static let kind = ObjectKind.gateway

  package enum PortProtocol: String, Hashable, Sendable, CaseIterable {
    case http = "HTTP"
    case http2 = "HTTP2"
    case grpc = "GRPC"
    case grpcWeb = "GRPC-WEB"
    case https = "HTTPS"
    case tls = "TLS"
    case tcp = "TCP"
    case mongo = "MONGO"
    case mysql = "MYSQL"
    case redis = "REDIS"

    /// Plain-text HTTP: routes come by RDS under `http.<port>`.
    package var isPlainHTTP: Bool { [.http, .http2, .grpc, .grpcWeb].contains(self) }
    /// Encrypted by the client: the server must say how in `tls`.
    package var isTLS: Bool { self == .https || self == .tls }
  }

  /// `[namespace/]dnsName`: which VirtualServices of which namespace a server accepts.
  package struct Host: Hashable, Sendable {
    package enum Namespace: Hashable, Sendable {
      case any
      /// `.`: the namespace of the Gateway.
      case own
      /// `~`: none, so the host takes no VirtualService.
      case none
      case named(String)
    }
    package var namespace: Namespace
    /// A DNS name, `*.suffix` or `*`.
    package var dnsName: String

    package init(namespace: Namespace = .any, dnsName: String) {
      self.namespace = namespace
      self.dnsName = dnsName
    }
  }

  package struct Server: Hashable, Sendable {
    /// The position in `spec.servers`.
    package var index: Int
    /// The port of the Service in front of the gateway, which maps it to the port of the listener.
    package var port: UInt16
    package var portName: String
    package var portProtocol: PortProtocol
    /// The address to bind; empty for all.
    package var bind: String
    package var hosts: [Host]
    package var name: String
    package var tls: TLSSettings?

    package init(
      index: Int, port: UInt16, portName: String, portProtocol: PortProtocol, bind: String = "",
      hosts: [Host], name: String = "", tls: TLSSettings? = nil
    ) {
      self.index = index
      self.port = port
      self.portName = portName
      self.portProtocol = portProtocol
      self.bind = bind
      self.hosts = hosts
      self.name = name
      self.tls = tls
    }

    /// `spec.servers[index]`.
    package var path: FieldPath { FieldPath("spec", "servers")[index] }
  }

  package var meta: ObjectMeta
  /// Labels of the gateway workloads, in any namespace; empty selects all gateways.
  package var selector: LabelSelector
  package var servers: [Server]
  /// The Wasm plugins that the requests of every route through it pass.
  package var plugins: [PluginReference] = []

  package init(meta: ObjectMeta, selector: LabelSelector, servers: [Server]) {
    self.meta = meta
    self.selector = selector
    self.servers = servers
  }
}
