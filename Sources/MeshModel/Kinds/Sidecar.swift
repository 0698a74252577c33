// SPDX-License-Identifier: Apache-2.0

/// A `networking.istio.io` Sidecar: what the sidecars of some workloads let in, and what they may call.
package struct Sidecar: ConfigObject {
  package static let kind = ObjectKind.sidecar

  package struct Port: Hashable, Sendable {
    package var number: UInt16
    package var name: String
    package var portProtocol: ServiceProtocol
    package init(number: UInt16, name: String, portProtocol: ServiceProtocol) {
      self.number = number
      self.name = name
      self.portProtocol = portProtocol
    }
  }

  package enum CaptureMode: String, Hashable, Sendable, CaseIterable {
    case `default` = "DEFAULT"
    case iptables = "IPTABLES"
    /// Nothing redirects connections to the proxy; it listens where clients connect to.
    case none = "NONE"
  }

  /// `namespace/dnsName`: services that may be called.
  package struct Host: Hashable, Sendable {
    package enum Namespace: Hashable, Sendable {
      case any
      /// `.`: the namespace of the proxy.
      case own
      /// `~`: no services at all.
      case none
      case named(String)
    }
    package var namespace: Namespace
    /// A DNS name, `*.suffix` or `*`.
    package var dnsName: String

    package init(namespace: Namespace, dnsName: String) {
      self.namespace = namespace
      self.dnsName = dnsName
    }
  }

  package struct EgressListener: Hashable, Sendable {
    /// The position in `spec.egress`.
    package var index: Int
    /// Nil for all ports of the services that no other listener has.
    package var port: Port?
    /// Empty for the default.
    package var bind: String
    package var captureMode: CaptureMode
    package var hosts: [Host]

    package init(
      index: Int, port: Port? = nil, bind: String = "", captureMode: CaptureMode = .default,
      hosts: [Host]
    ) {
      self.index = index
      self.port = port
      self.bind = bind
      self.captureMode = captureMode
      self.hosts = hosts
    }

    /// `spec.egress[index]`.
    package var path: FieldPath { FieldPath("spec", "egress")[index] }
  }

  /// Where the workload listens.
  package enum Endpoint: Hashable, Sendable {
    case loopback(port: UInt16)
    /// On the address of the workload that the client has connected to.
    case instance(port: UInt16)
    case socket(path: String)
  }

  package struct IngressListener: Hashable, Sendable {
    /// The position in `spec.ingress`.
    package var index: Int
    package var port: Port
    /// Empty for the default.
    package var bind: String
    package var captureMode: CaptureMode
    package var endpoint: Endpoint
    package var connectionPool: ConnectionPool?

    package init(
      index: Int, port: Port, bind: String = "", captureMode: CaptureMode = .default,
      endpoint: Endpoint, connectionPool: ConnectionPool? = nil
    ) {
      self.index = index
      self.port = port
      self.bind = bind
      self.captureMode = captureMode
      self.endpoint = endpoint
      self.connectionPool = connectionPool
    }

    /// `spec.ingress[index]`.
    package var path: FieldPath { FieldPath("spec", "ingress")[index] }
  }

  package var meta: ObjectMeta
  /// Nil for all workloads of the namespace, or of the mesh where it is the root namespace.
  package var workloadSelector: LabelSelector?
  /// Empty for what the services of the workload say.
  package var ingress: [IngressListener] = []
  /// Empty for everything.
  package var egress: [EgressListener] = []
  /// Limits on connections to the workload.
  package var inboundConnectionPool: ConnectionPool?
  /// Whether unknown hosts may be called; nil for what the mesh says.
  package var allowsAnyOutbound: Bool?

  package init(meta: ObjectMeta, workloadSelector: LabelSelector? = nil) {
    self.meta = meta
    self.workloadSelector = workloadSelector
  }
}
