// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What the HTTP connection managers of gateways and sidecars have in common, with Istio's values.
enum HTTPConnectionManager {
  static func base(meshConfig: MeshConfig) -> Envoy.HTTPConnectionManager {
    var manager = Envoy.HTTPConnectionManager()
    manager.serverName = "istio-envoy"
    manager.normalizePath = Google_Protobuf_BoolValue(true)
    // Streams end by the timeouts of their routes, not by being idle.
    manager.streamIdleTimeout = Google_Protobuf_Duration()
    manager.upgradeConfigs = [
      Envoy.HTTPConnectionManager.UpgradeConfig.with { $0.upgradeType = "websocket" }
    ]
    manager.proxy100Continue = true
    manager.accessLog = AccessLogs.file(meshConfig)
    return manager
  }

  /// The HTTP filters in Istio's order: AUTHN, AUTHZ, STATS and other plugins, fault, CORS, then the
  /// router.
  static func filters(_ plugins: PluginChain) -> [Envoy.HTTPFilter] {
    plugins.httpFilters + [fault, cors, router]
  }

  /// Does nothing by itself: a route that injects faults says so in its own configuration.
  private static let fault = filter(
    FilterName.fault, Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault())

  /// Does nothing by itself: a route with a corsPolicy says so in its own configuration.
  private static let cors = filter(FilterName.cors, Envoy_Extensions_Filters_Http_Cors_V3_Cors())

  private static let router = filter(
    FilterName.router, Envoy_Extensions_Filters_Http_Router_V3_Router())

  private static func filter(_ name: String, _ config: some Message) -> Envoy.HTTPFilter {
    Envoy.HTTPFilter.with {
      $0.name = name
      $0.typedConfig = config.packed()
    }
  }
}

/// Access logs of `meshConfig.accessLogFile`.
enum AccessLogs {
  /// Istio's default text format (its documentation, "Default access log format").
  private static let format =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
    + "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% "
    + "%CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" "
    + "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    + "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" "
    + "\"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% "
    + "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    + "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"

  static func file(_ meshConfig: MeshConfig) -> [Envoy.AccessLog] {
    guard !meshConfig.accessLogFile.isEmpty else { return [] }
    let log = Envoy_Extensions_AccessLoggers_File_V3_FileAccessLog.with {
      $0.path = meshConfig.accessLogFile
      $0.logFormat.textFormatSource.inlineString = format
    }
    return [
      Envoy.AccessLog.with {
        $0.name = FilterName.fileAccessLog
        $0.typedConfig = log.packed()
      }
    ]
  }
}
