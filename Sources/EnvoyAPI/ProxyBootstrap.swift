// SPDX-License-Identifier: Apache-2.0

package import SwiftProtobuf

/// What an Envoy starts with so that it gets everything else from a control plane.
///
/// The first fetch of listeners and clusters waits without a limit, as in Istio's bootstrap: a proxy
/// that starts before its control plane serves nothing rather than nothing for a while.
package struct ProxyBootstrap: Sendable {
  /// Where a proxy finds its control plane.
  package enum ControlPlane: Hashable, Sendable {
    case tcp(host: String, port: UInt16)
    /// A Unix socket: an agent on the same machine.
    case pipe(path: String)
  }

  package var nodeID: String
  package var cluster: String
  package var metadata: Google_Protobuf_Struct
  package var controlPlane: ControlPlane
  package var adminHost: String
  package var adminPort: UInt16

  package init(
    nodeID: String, cluster: String, metadata: Google_Protobuf_Struct,
    controlPlane: ControlPlane, adminHost: String = "127.0.0.1", adminPort: UInt16 = 15000
  ) {
    self.nodeID = nodeID
    self.cluster = cluster
    self.metadata = metadata
    self.controlPlane = controlPlane
    self.adminHost = adminHost
    self.adminPort = adminPort
  }

  /// Istio's name for the cluster of the control plane.
  private static let xdsCluster = "xds-grpc"

  package func message() -> Envoy_Config_Bootstrap_V3_Bootstrap {
    .with {
      $0.node.id = nodeID
      $0.node.cluster = cluster
      $0.node.metadata = metadata
      $0.admin.address = Self.address(adminHost, adminPort)
      $0.dynamicResources.ldsConfig = Self.overADS()
      $0.dynamicResources.cdsConfig = Self.overADS()
      $0.dynamicResources.adsConfig = .with {
        $0.apiType = .grpc
        $0.transportApiVersion = .v3
        $0.setNodeOnFirstMessageOnly = true
        $0.grpcServices = [.with { $0.envoyGrpc.clusterName = Self.xdsCluster }]
      }
      $0.staticResources.clusters = [xdsCluster()]
    }
  }

  /// The file that Envoy reads: the message as JSON, with proto's field names.
  ///
  /// - Throws: Where the metadata holds what JSON cannot say, such as an infinite number.
  package func json() throws -> String {
    // SwiftProtobuf writes the content of an Any only of types that it was told of.
    Google_Protobuf_Any.register(
      messageType: Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.self)
    var options = JSONEncodingOptions()
    options.preserveProtoFieldNames = true
    options.useDeterministicOrdering = true
    return try message().jsonString(options: options)
  }

  private func xdsCluster() -> Envoy_Config_Cluster_V3_Cluster {
    .with {
      $0.name = Self.xdsCluster
      $0.connectTimeout = .with { $0.seconds = 1 }
      $0.typedExtensionProtocolOptions = [
        Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.protoMessageName:
          Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.with {
            $0.explicitHTTPConfig.http2ProtocolOptions = .with {
              // A control plane that is gone without a word is noticed, and dialled again.
              $0.connectionKeepalive.interval = .with { $0.seconds = 30 }
              $0.connectionKeepalive.timeout = .with { $0.seconds = 10 }
            }
          }
          .packed()
      ]
      let address: Envoy_Config_Core_V3_Address
      switch controlPlane {
      case .tcp(let host, let port):
        $0.type = .strictDns
        $0.respectDnsTtl = true
        address = Self.address(host, port)
      case .pipe(let path):
        $0.type = .static
        address = .with { $0.pipe.path = path }
      }
      $0.loadAssignment.clusterName = Self.xdsCluster
      $0.loadAssignment.endpoints = [
        .with { $0.lbEndpoints = [.with { $0.endpoint.address = address }] }
      ]
    }
  }

  private static func overADS() -> Envoy_Config_Core_V3_ConfigSource {
    .with {
      $0.ads = .init()
      $0.resourceApiVersion = .v3
      $0.initialFetchTimeout = .init()
    }
  }

  private static func address(_ host: String, _ port: UInt16) -> Envoy_Config_Core_V3_Address {
    .with {
      $0.socketAddress.address = host
      $0.socketAddress.portValue = UInt32(port)
    }
  }
}
