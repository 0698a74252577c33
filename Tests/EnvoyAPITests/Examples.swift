// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf

extension Envoy_Config_Listener_V3_Listener {
  /// A TLS gateway whose first HTTP filter comes by ECDS.
  static var gateway: Self {
    .with {
      $0.name = "0.0.0.0_8443"
      $0.address = .ip("0.0.0.0", port: 8443)
      $0.trafficDirection = .outbound
      $0.enableReusePort = .init(false)
      $0.perConnectionBufferLimitBytes = 32768
      $0.listenerFilters = [
        .with {
          $0.name = "envoy.filters.listener.tls_inspector"
          $0.typedConfig = Envoy_Extensions_Filters_Listener_TlsInspector_V3_TlsInspector()
            .packed()
        }
      ]
      $0.filterChains = [
        .with {
          $0.filterChainMatch.serverNames = ["*.example.com"]
          $0.transportSocket = .with {
            $0.name = "envoy.transport_sockets.tls"
            $0.typedConfig =
              Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext
              .with {
                $0.commonTlsContext.alpnProtocols = ["h2", "http/1.1"]
                $0.commonTlsContext.tlsCertificateSdsSecretConfigs = [
                  .with {
                    $0.name = "kubernetes://example"
                    $0.sdsConfig.ads = .init()
                  }
                ]
              }.packed()
          }
          $0.filters = [
            .with {
              $0.name = "envoy.filters.network.http_connection_manager"
              $0.typedConfig = HTTPConnectionManager.gateway.packed()
            }
          ]
        }
      ]
    }
  }
}

private typealias HTTPConnectionManager =
  Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

extension HTTPConnectionManager {
  fileprivate static var gateway: Self {
    .with {
      $0.statPrefix = "outbound_0.0.0.0_8443"
      $0.rds.configSource.ads = .init()
      $0.rds.routeConfigName = "https.8443.https.gateway.default"
      $0.forwardClientCertDetails = .sanitizeSet
      $0.streamIdleTimeout = .init(seconds: 0)
      $0.stripAnyHostPort = true
      $0.httpFilters = [
        .with {
          $0.name = "extensions.istio.io/wasmplugin/default.hello"
          $0.configDiscovery = .with {
            $0.configSource.ads = .init()
            $0.configSource.initialFetchTimeout = .init(seconds: 0)
            $0.typeUrls = [Envoy_Extensions_Filters_Http_Wasm_V3_Wasm.typeURL]
          }
        },
        .with {
          $0.name = "envoy.filters.http.router"
          $0.typedConfig = Envoy_Extensions_Filters_Http_Router_V3_Router().packed()
        },
      ]
    }
  }
}

extension Envoy_Config_Route_V3_RouteConfiguration {
  /// A weighted route, a redirect and a direct response.
  static var reviews: Self {
    .with {
      $0.name = "http.80"
      $0.validateClusters = false
      $0.virtualHosts = [
        .with {
          $0.name = "reviews.example.com:80"
          $0.domains = ["reviews.example.com", "reviews.example.com:*"]
          $0.requireTls = .externalOnly
          $0.routes = [
            .with {
              $0.match.pathSeparatedPrefix = "/reviews"
              $0.match.headers = [
                .with {
                  $0.name = "end-user"
                  $0.stringMatch.safeRegex.regex = "j.*"
                }
              ]
              $0.match.runtimeFraction.defaultValue = .with {
                $0.numerator = 25
                $0.denominator = .hundred
              }
              $0.route = .with {
                $0.weightedClusters.clusters = [
                  .weighted("outbound|9080|v1|reviews", 90),
                  .weighted("outbound|9080|v2|reviews", 10),
                ]
                $0.timeout = .init(seconds: 5)
                $0.retryPolicy.retryOn = "5xx"
                $0.hashPolicy = [.with { $0.cookie.name = "session" }]
              }
              $0.typedPerFilterConfig = [
                "envoy.filters.http.cors":
                  Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy
                  .with { $0.allowOriginStringMatch = [.with { $0.exact = "*" }] }.packed()
              ]
            },
            .with {
              $0.match.path = "/old"
              $0.redirect.responseCode = .permanentRedirect
              $0.redirect.pathRedirect = "/new"
            },
            .with {
              $0.match.prefix = "/"
              $0.directResponse.status = 404
              $0.directResponse.body.inlineString = "nothing here"
            },
          ]
        }
      ]
    }
  }
}

extension Envoy_Config_Route_V3_WeightedCluster.ClusterWeight {
  fileprivate static func weighted(_ name: String, _ weight: UInt32) -> Self {
    .with {
      $0.name = name
      $0.weight = .init(weight)
      $0.responseHeadersToAdd = [
        .with {
          $0.header.key = "x-cluster"
          $0.header.value = name
          $0.appendAction = .overwriteIfExistsOrAdd
        }
      ]
    }
  }
}

extension Envoy_Config_Cluster_V3_Cluster {
  /// An EDS cluster over HTTP/2 with limits, ejection and two transports.
  static var reviews: Self {
    .with {
      $0.name = "outbound|9080||reviews"
      $0.type = .eds
      $0.edsClusterConfig.edsConfig.ads = .init()
      $0.lbPolicy = .leastRequest
      $0.leastRequestLbConfig.choiceCount = 2
      $0.connectTimeout = .init(seconds: 10)
      $0.circuitBreakers.thresholds = [.with { $0.maxConnections = 100 }]
      $0.outlierDetection.consecutive5Xx = 5
      $0.outlierDetection.baseEjectionTime = .init(seconds: 30)
      $0.commonLbConfig.localityWeightedLbConfig = .init()
      $0.metadata.filterMetadata = ["istio": ["host": "reviews"]]
      $0.transportSocketMatches = [
        .with {
          $0.name = "plaintext"
          $0.transportSocket.name = "envoy.transport_sockets.raw_buffer"
          $0.transportSocket.typedConfig =
            Envoy_Extensions_TransportSockets_RawBuffer_V3_RawBuffer().packed()
        }
      ]
      $0.typedExtensionProtocolOptions = [
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions":
          Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.with {
            $0.explicitHTTPConfig.http2ProtocolOptions.maxConcurrentStreams = 100
          }.packed()
      ]
    }
  }
}

extension Envoy_Config_Endpoint_V3_ClusterLoadAssignment {
  /// Two endpoints in one locality, one of them draining.
  static var reviews: Self {
    .with {
      $0.clusterName = "outbound|9080||reviews"
      $0.policy.overprovisioningFactor = 140
      $0.endpoints = [
        .with {
          $0.locality.region = "eu"
          $0.locality.zone = "eu-1"
          $0.loadBalancingWeight = 2
          $0.priority = 1
          $0.lbEndpoints = [
            .with { $0.endpoint.address = .ip("10.0.0.1", port: 9080) },
            .with {
              $0.endpoint.address.pipe.path = "/run/reviews.sock"
              $0.healthStatus = .draining
              $0.metadata.filterMetadata = ["envoy.lb": ["canary": true]]
            },
          ]
        }
      ]
    }
  }
}

extension Envoy_Config_Core_V3_TypedExtensionConfig {
  /// A Wasm plugin as ECDS delivers it.
  static var plugin: Self {
    .with {
      $0.name = "extensions.istio.io/wasmplugin/default.hello"
      $0.typedConfig = Envoy_Extensions_Filters_Http_Wasm_V3_Wasm.with {
        $0.config.name = "default.hello"
        $0.config.rootID = "hello"
        $0.config.failurePolicy = .failOpen
        $0.config.configuration = Google_Protobuf_StringValue(#"{"name":"hello"}"#).packed()
        $0.config.vmConfig.runtime = "envoy.wasm.runtime.v8"
        $0.config.vmConfig.code.local.filename = "/var/lib/hello.wasm"
        $0.config.vmConfig.environmentVariables.keyValues = ["A": "1", "B": "2"]
      }.packed()
    }
  }
}

extension Envoy_Config_Core_V3_Address {
  fileprivate static func ip(_ address: String, port: UInt32) -> Self {
    .with {
      $0.socketAddress.address = address
      $0.socketAddress.portValue = port
    }
  }
}
