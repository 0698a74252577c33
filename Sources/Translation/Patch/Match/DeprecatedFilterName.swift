// SPDX-License-Identifier: Apache-2.0

/// The names that filters had before Envoy 1.14, which published EnvoyFilters still use.
///
/// Istio's matches compare names as they are, so such a patch has silently no effect there; here it
/// means the filter that it always meant.
enum DeprecatedFilterName {
  static func networkFilter(_ name: String) -> String {
    canonical(
      name, prefix: "envoy.filters.network.",
      [
        "client_ssl_auth", "echo", "ext_authz", "http_connection_manager", "mongo_proxy",
        "ratelimit", "redis_proxy", "tcp_proxy",
      ])
  }

  static func listenerFilter(_ name: String) -> String {
    let oldPrefix = "envoy.listener."
    let known: Set = [
      "http_inspector", "original_dst", "original_src", "proxy_protocol", "tls_inspector",
    ]
    guard name.hasPrefix(oldPrefix), known.contains(String(name.dropFirst(oldPrefix.count)))
    else { return name }
    return "envoy.filters.listener." + name.dropFirst(oldPrefix.count)
  }

  static func httpFilter(_ name: String) -> String {
    if let renamed = renamedHTTPFilters[name] { return "envoy.filters.http.\(renamed)" }
    return canonical(
      name, prefix: "envoy.filters.http.",
      [
        "buffer", "cors", "csrf", "ext_authz", "fault", "grpc_http1_bridge",
        "grpc_json_transcoder", "grpc_web", "gzip", "health_check", "ip_tagging", "lua", "router",
        "squash",
      ])
  }

  /// Those whose last part changed too.
  private static let renamedHTTPFilters = [
    "envoy.rate_limit": "ratelimit", "envoy.http_dynamo_filter": "dynamo",
  ]

  private static func canonical(
    _ name: String, prefix: String, _ known: Set<String>
  ) -> String {
    let oldPrefix = "envoy."
    guard name.hasPrefix(oldPrefix), known.contains(String(name.dropFirst(oldPrefix.count)))
    else { return name }
    return prefix + name.dropFirst(oldPrefix.count)
  }
}
