// SPDX-License-Identifier: Apache-2.0

/// How the bytes on a service port are to be read.
package enum ServiceProtocol: String, Hashable, Sendable, CaseIterable {
  case http = "HTTP"
  case http2 = "HTTP2"
  case grpc = "GRPC"
  case grpcWeb = "GRPC-WEB"
  case https = "HTTPS"
  case tls = "TLS"
  case tcp = "TCP"
  case udp = "UDP"
  case mongo = "MONGO"
  case mysql = "MYSQL"
  case redis = "REDIS"
  /// Not declared; treated as TCP until protocol detection is there.
  case unspecified = "UNSPECIFIED"

  package var isHTTP: Bool { [.http, .http2, .grpc, .grpcWeb].contains(self) }
  /// Needs HTTP/2 towards the upstream.
  package var isHTTP2: Bool { self == .http2 || self == .grpc }
}

/// A service of the registry: a host name, its ports and where its endpoints are.
///
/// Made from a ServiceEntry (one for each host) or from a Kubernetes Service and its endpoints.
package struct Service: Hashable, Sendable {
  package enum Resolution: String, Hashable, Sendable, CaseIterable {
    case none = "NONE"
    case `static` = "STATIC"
    case dns = "DNS"
    case dnsRoundRobin = "DNS_ROUND_ROBIN"
    /// Looked up by the proxy when a request comes, for hosts that nobody can list.
    case dynamicDNS = "DYNAMIC_DNS"
  }

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

  package struct Endpoint: Hashable, Sendable {
    /// An IP address, a DNS name, or `unix://` and a path.
    package var address: String
    /// The target port for each service port number; ports that it does not serve are missing.
    package var ports: [UInt16: UInt16]
    package var labels: [String: String]
    /// `region/zone/subzone`, or empty.
    package var locality: String
    /// 0 stands for unset, which is 1.
    package var weight: UInt32
    package var isHealthy: Bool

    package init(
      address: String, ports: [UInt16: UInt16], labels: [String: String] = [:],
      locality: String = "", weight: UInt32 = 0, isHealthy: Bool = true
    ) {
      self.address = address
      self.ports = ports
      self.labels = labels
      self.locality = locality
      self.weight = weight
      self.isHealthy = isHealthy
    }
  }

  /// A fully qualified DNS name; may begin with `*.` for a ServiceEntry.
  package var hostname: String
  package var namespace: String
  /// Virtual IP addresses or CIDR ranges.
  package var addresses: [String]
  package var ports: [Port]
  package var resolution: Resolution
  package var isMeshInternal: Bool
  /// Empty exports to all namespaces; `.` stands for the own, `~` for none.
  package var exportTo: [String]
  package var endpoints: [Endpoint]
  /// Labels of the workloads behind it; nil where the endpoints are given by hand.
  package var selector: LabelSelector?
  /// Names that the certificates of its endpoints may have, where no policy says.
  package var subjectAltNames: [String]
  /// Target ports for each service port number, where they are numbers: how a gateway's listener
  /// port is found from the port of the Service in front of it.
  package var targetPorts: [UInt16: UInt16]
  /// The object that declares it, with its endpoints' objects.
  package var origins: [Origin]
  package var creationTimestamp: Int64

  package init(
    hostname: String, namespace: String, addresses: [String] = [], ports: [Port],
    resolution: Resolution, isMeshInternal: Bool, exportTo: [String] = [],
    endpoints: [Endpoint] = [], selector: LabelSelector? = nil, subjectAltNames: [String] = [],
    targetPorts: [UInt16: UInt16] = [:], origins: [Origin], creationTimestamp: Int64 = 0
  ) {
    self.hostname = hostname
    self.namespace = namespace
    self.addresses = addresses
    self.ports = ports
    self.resolution = resolution
    self.isMeshInternal = isMeshInternal
    self.exportTo = exportTo
    self.endpoints = endpoints
    self.selector = selector
    self.subjectAltNames = subjectAltNames
    self.targetPorts = targetPorts
    self.origins = origins
    self.creationTimestamp = creationTimestamp
  }

  /// Whether workloads of a namespace may use it (`exportTo`).
  package func isVisible(in namespace: String) -> Bool {
    Self.isVisible(in: namespace, from: self.namespace, exportTo: exportTo)
  }

  /// Whether workloads of a namespace may use what another exports.
  package static func isVisible(
    in namespace: String, from own: String, exportTo: [String]
  ) -> Bool {
    exportTo.isEmpty
      || exportTo.contains { scope in
        scope == "*" || scope == namespace || (scope == "." && namespace == own)
      }
  }
}
