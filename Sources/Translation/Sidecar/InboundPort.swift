// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// A port of a workload that its sidecar lets connections in to.
struct InboundPort {
  /// How the bytes are read.
  enum Reading: Hashable {
    case http
    case http2
    case tcp
    /// Nobody says, so the proxy looks at the first bytes.
    case detected

    init(_ protocols: [ServiceProtocol]) {
      if protocols.contains(where: \.isHTTP2) {
        self = .http2
      } else if protocols.contains(where: \.isHTTP) {
        self = .http
      } else {
        self = protocols.allSatisfy { $0 == .unspecified } ? .detected : .tcp
      }
    }
  }

  /// Where connections come in.
  var number: UInt16
  var reading: Reading
  /// Where they go.
  var endpoint: Sidecar.Endpoint
  /// The address that the proxy itself listens on; nil where connections are redirected to it.
  var bind: String?
  var connectionPool: ConnectionPool?
  var origins: [Origin]
}

extension ProxyScope {
  /// Node metadata for how connections reach the proxy, with Istio's values.
  private static let interceptionMode = "INTERCEPTION_MODE"

  /// Whether the workload's connections are redirected to the proxy; without that it has no virtual
  /// listeners, and opens by itself the ports that clients connect to.
  var isIntercepted: Bool { proxy.metadata[Self.interceptionMode] != "NONE" }

  /// The ports that connections to the workload come in on, in order: those of its Sidecar resource,
  /// else those that services lead to.
  var inboundPorts: [InboundPort] {
    guard let sidecar, !sidecar.ingress.isEmpty else {
      // Without redirection the workload has these ports itself.
      guard isIntercepted else { return [] }
      return Dictionary(grouping: proxy.instances, by: \.targetPort).sorted { $0.key < $1.key }
        .map { number, instances in
          InboundPort(
            number: number, reading: .init(instances.map(\.portProtocol)),
            endpoint: .loopback(port: number), connectionPool: sidecar?.inboundConnectionPool,
            origins: origins(of: instances))
        }
    }
    return sidecar.ingress.sorted { $0.port.number < $1.port.number }.map { listener in
      let isOwn = listener.captureMode == .none || !isIntercepted || !listener.bind.isEmpty
      return InboundPort(
        number: listener.port.number, reading: .init([listener.port.portProtocol]),
        endpoint: listener.endpoint,
        bind: isOwn ? (listener.bind.isEmpty ? "0.0.0.0" : listener.bind) : nil,
        connectionPool: listener.connectionPool ?? sidecar.inboundConnectionPool,
        origins: [sidecar.origin(at: listener.path)])
    }
  }

  /// The Sidecar resource that counts: one that selects the workload, one for its namespace, one for
  /// the mesh; of several the oldest.
  static func sidecar(_ mesh: MeshSnapshot, _ proxy: ProxyClass) -> Sidecar? {
    guard proxy.role == .sidecar else { return nil }
    let own = mesh.sidecars[proxy.namespace] ?? []
    let root = mesh.sidecars[mesh.meshConfig.rootNamespace] ?? []
    return own.first { $0.workloadSelector?.matches(proxy.labels) ?? false }
      ?? own.first { $0.workloadSelector == nil } ?? root.first { $0.workloadSelector == nil }
  }

  /// Whether hosts that nobody declared may be called.
  var allowsAnyOutbound: Bool { sidecar?.allowsAnyOutbound ?? mesh.meshConfig.allowsAnyOutbound }
}
