// SPDX-License-Identifier: Apache-2.0

import MeshModel
import ProtoReflection

/// The lists of filters that Envoy has, each with its own extensions.
enum FilterKind: CaseIterable {
  case http, network, listener

  /// Nil where what is patched is no filter.
  init?(_ applyTo: EnvoyFilter.ApplyTo) {
    switch applyTo {
    case .httpFilter: self = .http
    case .networkFilter: self = .network
    case .listenerFilter: self = .listener
    default: return nil
    }
  }

  /// In the words of an error.
  var noun: String {
    switch self {
    case .http: "an HTTP filter"
    case .network: "a network filter"
    case .listener: "a listener filter"
    }
  }

  var applyTo: EnvoyFilter.ApplyTo {
    switch self {
    case .http: .httpFilter
    case .network: .networkFilter
    case .listener: .listenerFilter
    }
  }

  /// By name the types of a filter's configuration, its own first, then those for routes.
  private var extensions: [String: [String]] {
    switch self {
    case .http: EnvoyFilters.http
    case .network: EnvoyFilters.network
    case .listener: EnvoyFilters.listener
    }
  }

  /// The names that Envoy's filters have today, in order.
  private static let names = table { extensions in
    extensions.filter { !$0.value.isEmpty }.keys.sorted()
  }
  private static let formerNames = table { extensions in
    Set(extensions.filter { $0.value.isEmpty }.keys)
  }
  private static let filters = table { extensions in
    Dictionary(
      extensions.compactMap { name, types in types.first.map { ($0, name) } },
      uniquingKeysWith: { min($0, $1) })
  }
  private static let routeTypes = table { extensions in
    Dictionary(
      extensions.flatMap { name, types in types.dropFirst().map { ($0, types[0]) } },
      uniquingKeysWith: { min($0, $1) })
  }

  private static func table<Value>(_ make: ([String: [String]]) -> Value) -> [Self: Value] {
    Dictionary(uniqueKeysWithValues: allCases.map { ($0, make($0.extensions)) })
  }

  /// The name of the filter that a type configures; nil for other types.
  func filter(configuredBy typeName: String) -> String? { Self.filters[self]?[typeName] }

  /// For a type that configures a filter on a route only, the type of the filter itself.
  func filterType(forRouteType typeName: String) -> String? { Self.routeTypes[self]?[typeName] }

  /// The type of a filter's configuration that was most likely meant by a name that none has: the one
  /// of the same package, else the one that is spelt most like it.
  func nearestType(to typeName: String) -> String? {
    let types = (Self.filters[self] ?? [:]).keys.sorted()
    let parts = typeName.split(separator: ".").dropLast()
    return types.first { $0.split(separator: ".").dropLast() == parts }
      ?? NearestName.of(typeName, among: types)
  }

  /// Whether a filter had this name before Envoy 1.14.
  func isFormerName(_ name: String) -> Bool { Self.formerNames[self]?.contains(name) ?? false }

  /// The filter of Envoy that somebody most likely meant by a name that none has; nil where the name
  /// is a good one, or where it looks like one of the user's own.
  func nearestName(to name: String) -> String? {
    let names = Self.names[self] ?? []
    guard !names.contains(name), !isFormerName(name) else { return nil }
    if let nearest = NearestName.of(name, among: names) { return nearest }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = parts.last, parts.count == 1 || parts[0] == "envoy" else { return nil }
    return names.first { $0.hasSuffix(".\(last)") }
  }

  /// Whether a filter must be the last of its list; its configuration may be unknown.
  func isTerminal(_ typeName: String, _ content: DynamicMessage?) -> Bool {
    switch typeName {
    case "envoy.extensions.filters.http.router.v3.Router",
      "envoy.extensions.filters.http.mcp_router.v3.McpRouter",
      "envoy.extensions.filters.network.direct_response.v3.Config",
      "envoy.extensions.filters.network.dubbo_proxy.v3.DubboProxy",
      "envoy.extensions.filters.network.echo.v3.Echo",
      "envoy.extensions.filters.network.generic_proxy.v3.GenericProxy",
      "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      "envoy.extensions.filters.network.redis_proxy.v3.RedisProxy",
      "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      "envoy.extensions.filters.network.thrift_proxy.v3.ThriftProxy":
      true
    default: content?["terminal_filter"]?.bool ?? false
    }
  }

  /// The names of the filters that end the lists that translation builds.
  var lastFilters: Set<String> {
    switch self {
    case .http: ["envoy.filters.http.router", "envoy.router"]
    case .network:
      [
        "envoy.filters.network.http_connection_manager", "envoy.http_connection_manager",
        "envoy.filters.network.tcp_proxy", "envoy.tcp_proxy",
      ]
    case .listener: []
    }
  }
}
