// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// What a route does: forward, redirect or answer.
extension HTTPRoutes {
  /// A route that still lacks its conditions.
  mutating func withoutMatch(
    _ http: VirtualService.HTTPRoute
  ) throws(ConfigError) -> Envoy.Route {
    var route = Envoy.Route()
    route.name = http.name
    let headers = HeaderMutation(http.headers, at: http.path["headers"])
    headers.problems.forEach { report($0) }
    route.requestHeadersToAdd = headers.requestAdd
    route.requestHeadersToRemove = headers.requestRemove
    route.responseHeadersToAdd = headers.responseAdd
    route.responseHeadersToRemove = headers.responseRemove
    switch http.action {
    case .redirect(let redirect):
      route.redirect = try self.redirect(redirect, at: http.path["redirect"])
    case .directResponse(let response):
      route.directResponse = try DirectResponse.action(
        response, at: http.path["directResponse"])
    case .route(let destinations):
      try forward(to: destinations, http, headers.hostRewrite, &route)
    case .delegate:
      // The snapshot has the routes of the delegate in its place, unless that led nowhere.
      throw ConfigError(
        .notFound, at: http.path["delegate"], reason: "there is no such delegate")
    }
    if let fault = http.fault.flatMap(RouteFilters.fault) {
      route.typedPerFilterConfig[FilterName.fault] = fault.packed()
    }
    if let policy = http.corsPolicy {
      let cors = try RouteFilters.cors(policy, at: http.path["corsPolicy"])
      route.typedPerFilterConfig[FilterName.cors] = cors.packed()
    }
    return route
  }

  private mutating func forward(
    to destinations: [VirtualService.WeightedDestination], _ http: VirtualService.HTTPRoute,
    _ hostRewrite: String?, _ route: inout Envoy.Route
  ) throws(ConfigError) {
    var action = Envoy.RouteAction()
    action.clusterNotFoundResponseCode = .internalServerError
    if let policy = RetryPolicy.policy(http.retries, argument.surroundings.value.meshConfig) {
      action.retryPolicy = policy
    }
    // Unset disables the timeout, as in Istio; Envoy's own default is 15 s.
    let timeout = http.timeout ?? .zero
    action.timeout = Google_Protobuf_Duration(timeout)
    // A gRPC request may then limit itself. Beside a timeout this would turn that one off.
    if timeout == .zero {
      action.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration()
    }
    switch http.rewrite?.path {
    case nil: break
    case .prefix(let text): action.prefixRewrite = text
    case .regex(let match, let substitution):
      let path = http.path["rewrite"]["uriRegexRewrite"]["match"]
      action.regexRewrite.pattern = try Self.expression(match, path)
      action.regexRewrite.substitution = substitution
    }
    let authority = http.rewrite.flatMap { $0.authority.isEmpty ? nil : $0.authority }
    if let authority = authority ?? hostRewrite { action.hostRewriteLiteral = authority }
    for mirror in http.mirrors where mirror.fraction.millionths > 0 {
      let name = cluster(of: mirror.destination, at: http.path + mirror.path)
      action.requestMirrorPolicies.append(
        Envoy.RouteAction.RequestMirrorPolicy.with {
          $0.cluster = name
          $0.runtimeFraction.defaultValue = Envoy.FractionalPercent(mirror.fraction)
          $0.traceSampled = Google_Protobuf_BoolValue(false)
          $0.disableShadowHostSuffixAppend = true
        })
    }

    let path = http.path["route"]
    if destinations.count == 1, let only = destinations.first {
      action.cluster = cluster(of: only.destination, at: path[0]["destination"])
      let headers = HeaderMutation(only.headers, at: path[0]["headers"])
      headers.problems.forEach { report($0) }
      route.requestHeadersToAdd += headers.requestAdd
      route.requestHeadersToRemove += headers.requestRemove
      route.responseHeadersToAdd += headers.responseAdd
      route.responseHeadersToRemove += headers.responseRemove
      if let host = headers.hostRewrite { action.hostRewriteLiteral = host }
    } else {
      action.weightedClusters = try weighted(destinations, at: path)
    }
    action.hash(by: hashPolicies(of: destinations))
    route.route = action
  }

  private mutating func weighted(
    _ destinations: [VirtualService.WeightedDestination], at path: FieldPath
  ) throws(ConfigError) -> Envoy.WeightedCluster {
    let total = destinations.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
    guard total > 0, total <= UInt64(UInt32.max) else {
      throw ConfigError(
        .invalid, at: path,
        reason: "expected weights that add up to more than 0 and less than 2^32, found \(total); "
          + "the route is left out")
    }
    var clusters = Envoy.WeightedCluster()
    for (index, destination) in destinations.enumerated() where destination.weight > 0 {
      let headers = HeaderMutation(destination.headers, at: path[index]["headers"])
      headers.problems.forEach { report($0) }
      let name = cluster(
        of: destination.destination, at: path[index]["destination"])
      clusters.clusters.append(
        Envoy.WeightedCluster.ClusterWeight.with {
          $0.name = name
          $0.weight = Google_Protobuf_UInt32Value(destination.weight)
          $0.requestHeadersToAdd = headers.requestAdd
          $0.requestHeadersToRemove = headers.requestRemove
          $0.responseHeadersToAdd = headers.responseAdd
          $0.responseHeadersToRemove = headers.responseRemove
          if let host = headers.hostRewrite { $0.hostRewriteLiteral = host }
        })
    }
    return clusters
  }

  /// The name of the cluster of a destination.
  ///
  /// A host or port that no service has is said once for the whole mesh; here, what only the proxies
  /// of this class miss.
  private mutating func cluster(
    of target: VirtualService.Destination, at path: FieldPath
  ) -> String {
    let (host, port) = self.target(of: target)
    if destination(host).isHidden {
      report(
        ConfigError(
          .notFound, severity: .warning, at: path["host"],
          reason: "\(host) is not exported to namespace \(proxy.namespace) of the proxy; "
            + "requests get status 500"))
    }
    return ClusterName.outbound(port: port, subset: target.subset, host: host)
  }
}
