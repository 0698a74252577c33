// SPDX-License-Identifier: Apache-2.0

/// The names that Envoy and Istio give to filters in the chains that translation builds.
///
/// Users match on these in EnvoyFilter, so they are part of the contract.
enum FilterName {
  static let httpConnectionManager = "envoy.filters.network.http_connection_manager"
  static let tcpProxy = "envoy.filters.network.tcp_proxy"
  static let jwtAuthentication = "envoy.filters.http.jwt_authn"
  static let fault = "envoy.filters.http.fault"
  static let cors = "envoy.filters.http.cors"
  static let router = "envoy.filters.http.router"
  static let originalDestination = "envoy.filters.listener.original_dst"
  static let tlsInspector = "envoy.filters.listener.tls_inspector"
  static let fileAccessLog = "envoy.access_loggers.file"
}
