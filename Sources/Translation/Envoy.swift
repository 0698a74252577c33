// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf

/// Short names for the generated xDS types that translation builds.
///
/// swift-protobuf prefixes every type with its package; here only the last part matters.
enum Envoy {
  typealias Listener = Envoy_Config_Listener_V3_Listener
  typealias ListenerFilter = Envoy_Config_Listener_V3_ListenerFilter
  typealias FilterChain = Envoy_Config_Listener_V3_FilterChain
  typealias FilterChainMatch = Envoy_Config_Listener_V3_FilterChainMatch
  typealias NetworkFilter = Envoy_Config_Listener_V3_Filter
  typealias HTTPConnectionManager =
    Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
  typealias HTTPFilter = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter
  typealias TCPProxy = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy

  typealias RouteConfiguration = Envoy_Config_Route_V3_RouteConfiguration
  typealias VirtualHost = Envoy_Config_Route_V3_VirtualHost
  typealias Route = Envoy_Config_Route_V3_Route
  typealias RouteMatch = Envoy_Config_Route_V3_RouteMatch
  typealias RouteAction = Envoy_Config_Route_V3_RouteAction
  typealias RetryPolicy = Envoy_Config_Route_V3_RetryPolicy
  typealias RedirectAction = Envoy_Config_Route_V3_RedirectAction
  typealias WeightedCluster = Envoy_Config_Route_V3_WeightedCluster
  typealias HeaderMatcher = Envoy_Config_Route_V3_HeaderMatcher
  typealias QueryParameterMatcher = Envoy_Config_Route_V3_QueryParameterMatcher

  typealias Cluster = Envoy_Config_Cluster_V3_Cluster
  typealias ClusterLoadAssignment = Envoy_Config_Endpoint_V3_ClusterLoadAssignment
  typealias LocalityEndpoints = Envoy_Config_Endpoint_V3_LocalityLbEndpoints
  typealias LBEndpoint = Envoy_Config_Endpoint_V3_LbEndpoint

  typealias Address = Envoy_Config_Core_V3_Address
  typealias CIDRRange = Envoy_Config_Core_V3_CidrRange
  typealias ConfigSource = Envoy_Config_Core_V3_ConfigSource
  typealias ExtensionConfigSource = Envoy_Config_Core_V3_ExtensionConfigSource
  typealias TypedExtensionConfig = Envoy_Config_Core_V3_TypedExtensionConfig
  typealias HeaderValueOption = Envoy_Config_Core_V3_HeaderValueOption
  typealias Metadata = Envoy_Config_Core_V3_Metadata
  typealias AccessLog = Envoy_Config_Accesslog_V3_AccessLog
  typealias StringMatcher = Envoy_Type_Matcher_V3_StringMatcher
  typealias RegexMatcher = Envoy_Type_Matcher_V3_RegexMatcher
  typealias MetadataMatcher = Envoy_Type_Matcher_V3_MetadataMatcher
  typealias ValueMatcher = Envoy_Type_Matcher_V3_ValueMatcher
  typealias FractionalPercent = Envoy_Type_V3_FractionalPercent
}

extension Envoy {
  /// Resources over the same ADS stream, waited for without a limit, as Istio asks for them.
  static let aggregatedSource = ConfigSource.with {
    $0.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
    $0.initialFetchTimeout = Google_Protobuf_Duration()
    $0.resourceApiVersion = .v3
  }

  /// A TCP address; the host must be an IP address except in DNS clusters.
  static func address(_ host: String, port: UInt16) -> Address {
    Address.with {
      $0.socketAddress.address = host
      $0.socketAddress.portValue = UInt32(port)
    }
  }
}

extension Google_Protobuf_Duration {
  /// A duration to the nanosecond.
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }
}
