// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// CDS and EDS of the services that a proxy sees: a cluster for each service port, routed to or not.
///
/// Istio gives every gateway all of them, so that routes added by an EnvoyFilter find their clusters.
struct Clusters {
  let scope: ProxyScope
  private(set) var clusters: [(name: String, Sourced<Envoy.Cluster>)] = []
  private(set) var assignments: [(name: String, Sourced<Envoy.ClusterLoadAssignment>)] = []
  private(set) var problems: [ConfigError] = []

  init(_ scope: ProxyScope) {
    self.scope = scope
    for service in scope.services {
      var numbers: Set<UInt16> = []
      for port in service.ports
      where port.portProtocol != .udp && numbers.insert(port.number).inserted {
        add(service, port)
      }
    }
    add(Self.blackHole())
    guard scope.proxy.role == .sidecar else { return }
    add(Self.originalDestination(ClusterName.passthrough, connectTimeout: connectTimeout))
    var inbound = Self.originalDestination(
      ClusterName.inboundPassthrough, connectTimeout: connectTimeout)
    // From this address the redirection rules beside the proxy know its own connections to the
    // workload, and let them pass.
    inbound.upstreamBindConfig.sourceAddress.address = "127.0.0.6"
    inbound.upstreamBindConfig.sourceAddress.portValue = 0
    add(inbound)
    for (port, instances) in scope.inboundPorts { addInbound(port, instances) }
  }

  private var connectTimeout: Duration { scope.mesh.meshConfig.connectTimeout }

  private mutating func add(_ cluster: Envoy.Cluster, origins: [Origin] = []) {
    clusters.append((cluster.name, Sourced(cluster, origins: origins)))
  }

  private mutating func add(_ service: Service, _ port: Service.Port) {
    let name = ClusterName.outbound(port: port.number, host: service.hostname)
    var cluster = Self.common(name: name, connectTimeout: connectTimeout)
    switch discoveryType(of: service) {
    case .eds:
      cluster.type = .eds
      cluster.edsClusterConfig.edsConfig = Envoy.aggregatedSource
      cluster.edsClusterConfig.serviceName = name
      let (assignment, faults) = LoadAssignment.static(service, port, named: name)
      problems += faults
      assignments.append((name, Sourced(assignment, origins: service.origins)))
    case .originalDst:
      cluster.type = .originalDst
      cluster.lbPolicy = .clusterProvided
    case let dns:
      let (assignment, faults) = LoadAssignment.dns(service, port, named: name)
      problems += faults
      // Envoy refuses a DNS cluster without an endpoint, as it has nothing to resolve.
      guard let assignment else { return }
      cluster.type = dns
      cluster.loadAssignment = assignment
      cluster.dnsRefreshRate = Google_Protobuf_Duration(seconds: 60)
      cluster.respectDnsTtl = true
      cluster.dnsLookupFamily = .v4Preferred
    }
    if port.portProtocol.isHTTP2 {
      cluster.typedExtensionProtocolOptions = Self.http2Options
    }
    add(cluster, origins: service.origins)
  }

  private func discoveryType(of service: Service) -> Envoy.Cluster.DiscoveryType {
    switch service.resolution {
    case .static: .eds
    case .dns: .strictDns
    case .dnsRoundRobin: .logicalDns
    // A gateway's connections have no original destination; Istio gives it the endpoints instead.
    case .none: scope.proxy.role == .router ? .eds : .originalDst
    }
  }

  private mutating func addInbound(_ port: UInt16, _ instances: [ProxyClass.ServiceInstance]) {
    let name = ClusterName.inbound(port: port)
    var cluster = Self.common(name: name, connectTimeout: connectTimeout)
    cluster.type = .static
    cluster.lbPolicy = .roundRobin
    cluster.loadAssignment.clusterName = name
    cluster.loadAssignment.endpoints = [
      Envoy.LocalityEndpoints.with {
        $0.lbEndpoints = [
          Envoy.LBEndpoint.with { $0.endpoint.address = Envoy.address("127.0.0.1", port: port) }
        ]
      }
    ]
    if instances.contains(where: \.portProtocol.isHTTP2) {
      cluster.typedExtensionProtocolOptions = Self.http2Options
    }
    add(cluster, origins: scope.origins(of: instances))
  }
}

extension Clusters {
  /// Unlimited unless a policy says otherwise, as in Istio; Envoy's own limit is 1024.
  private static let circuitBreakers = Envoy_Config_Cluster_V3_CircuitBreakers.with {
    $0.thresholds = [
      Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds.with {
        let unlimited = Google_Protobuf_UInt32Value(.max)
        $0.maxConnections = unlimited
        $0.maxPendingRequests = unlimited
        $0.maxRequests = unlimited
        $0.maxRetries = unlimited
        $0.trackRemaining = true
      }
    ]
  }

  private static let protocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

  private static let http2Options = [
    protocolOptionsKey: Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.with {
      $0.explicitHTTPConfig.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
    }.packed()
  ]

  private static let downstreamProtocolOptions = [
    protocolOptionsKey: Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.with {
      $0.useDownstreamProtocolConfig.httpProtocolOptions =
        Envoy_Config_Core_V3_Http1ProtocolOptions()
      $0.useDownstreamProtocolConfig.http2ProtocolOptions =
        Envoy_Config_Core_V3_Http2ProtocolOptions()
    }.packed()
  ]

  private static func common(name: String, connectTimeout: Duration) -> Envoy.Cluster {
    Envoy.Cluster.with {
      $0.name = name
      $0.connectTimeout = Google_Protobuf_Duration(connectTimeout)
      $0.lbPolicy = .leastRequest
      $0.circuitBreakers = circuitBreakers
    }
  }

  private static func blackHole() -> Envoy.Cluster {
    Envoy.Cluster.with {
      $0.name = ClusterName.blackHole
      $0.type = .static
      $0.connectTimeout = Google_Protobuf_Duration(seconds: 10)
    }
  }

  private static func originalDestination(
    _ name: String, connectTimeout: Duration
  ) -> Envoy.Cluster {
    var cluster = common(name: name, connectTimeout: connectTimeout)
    cluster.type = .originalDst
    cluster.lbPolicy = .clusterProvided
    cluster.typedExtensionProtocolOptions = downstreamProtocolOptions
    return cluster
  }
}
