// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Builds a cluster, with Istio's defaults.
struct ClusterBuilder {
  typealias HTTPOptions = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions
  typealias Thresholds = Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds

  /// Everything but the limits and the options of HTTP.
  var message: Envoy.Cluster
  /// Unlimited unless a policy says otherwise, as in Istio; Envoy's own limit is 1024.
  var limits = Thresholds.with {
    let unlimited = Google_Protobuf_UInt32Value(.max)
    $0.maxConnections = unlimited
    $0.maxPendingRequests = unlimited
    $0.maxRequests = unlimited
    $0.maxRetries = unlimited
    $0.trackRemaining = true
  }
  /// Nil for HTTP/1.1 without anything special.
  var http: HTTPOptions?

  init(name: String, connectTimeout: Duration) {
    message = Envoy.Cluster.with {
      $0.name = name
      $0.connectTimeout = Google_Protobuf_Duration(connectTimeout)
      $0.lbPolicy = .leastRequest
    }
  }

  /// The finished cluster.
  var cluster: Envoy.Cluster {
    var message = message
    message.circuitBreakers.thresholds = [limits]
    if var http {
      // Envoy refuses options that do not say which version they are for.
      if http.upstreamProtocolOptions == nil {
        http.explicitHTTPConfig.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
      }
      message.typedExtensionProtocolOptions = [Self.httpOptionsKey: http.packed()]
    }
    return message
  }

  private static let httpOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

  /// Changes the options of HTTP, which then go into the cluster.
  mutating func setHTTP(_ change: (inout HTTPOptions) -> Void) {
    var options = http ?? HTTPOptions()
    change(&options)
    http = options
  }

  /// Speaks HTTP/2 and nothing else.
  mutating func useHTTP2() {
    setHTTP {
      $0.explicitHTTPConfig.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
    }
  }

  /// Speaks the version that the client spoke.
  mutating func useClientProtocol() {
    setHTTP {
      $0.useDownstreamProtocolConfig.httpProtocolOptions =
        Envoy_Config_Core_V3_Http1ProtocolOptions()
      $0.useDownstreamProtocolConfig.http2ProtocolOptions =
        Envoy_Config_Core_V3_Http2ProtocolOptions()
    }
  }

  var isHTTP2: Bool {
    guard case .explicitHTTPConfig(let config)? = http?.upstreamProtocolOptions,
      case .http2ProtocolOptions? = config.protocolConfig
    else { return false }
    return true
  }

  /// Connects to where the connection was going anyway.
  mutating func useOriginalDestination() {
    message.type = .originalDst
    message.lbPolicy = .clusterProvided
    message.clearEdsClusterConfig()
    message.clearLoadAssignment()
    message.clearDnsRefreshRate()
    message.respectDnsTtl = false
    message.dnsLookupFamily = .auto
  }

  /// Notes under `istio` whom the cluster is for, as Istio's filters and dashboards read it.
  mutating func note(_ fields: [String: Google_Protobuf_Value]) {
    var note = message.metadata.filterMetadata["istio"] ?? Google_Protobuf_Struct()
    note.fields.merge(fields) { $1 }
    message.metadata.filterMetadata["istio"] = note
  }
}
