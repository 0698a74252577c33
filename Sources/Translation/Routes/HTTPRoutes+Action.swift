// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import Foundation
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
      route.redirect = try Self.redirect(redirect, at: http.path["redirect"])
    case .directResponse(let response):
      route.directResponse = try DirectResponse.action(
        response, at: http.path["directResponse"])
    case .route(let destinations):
      try forward(to: destinations, http, headers.hostRewrite, &route)
    }
    return route
  }

  private mutating func forward(
    to destinations: [VirtualService.WeightedDestination], _ http: VirtualService.HTTPRoute,
    _ hostRewrite: String?, _ route: inout Envoy.Route
  ) throws(ConfigError) {
    var action = Envoy.RouteAction()
    action.clusterNotFoundResponseCode = .internalServerError
    action.retryPolicy = DefaultRetry.policy
    // Unset disables the timeout, as in Istio; Envoy's own default is 15 s.
    let timeout = http.timeout.map(Google_Protobuf_Duration.init) ?? Google_Protobuf_Duration()
    action.timeout = timeout
    action.maxStreamDuration.grpcTimeoutHeaderMax = timeout
    if let uri = http.rewriteURI, !uri.isEmpty { action.prefixRewrite = uri }
    let authority = http.rewriteAuthority.flatMap { $0.isEmpty ? nil : $0 } ?? hostRewrite
    if let authority { action.hostRewriteLiteral = authority }

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
    of destination: VirtualService.Destination, at path: FieldPath
  ) -> String {
    let host = Hostname.resolve(destination.host, in: object.meta.namespace)
    let service = scope.service(named: host)
    if service == nil, scope.isHidden(host) {
      report(
        ConfigError(
          .notFound, severity: .warning, at: path["host"],
          reason: "\(host) is not exported to namespace \(scope.proxy.namespace) of the proxy; "
            + "requests get status 500"))
    }
    // As Istio: the port asked for, else the only one of the service, else that of the listener.
    let only = service?.ports.count == 1 ? service?.ports.first?.number : nil
    return ClusterName.outbound(
      port: destination.port ?? only ?? port, subset: destination.subset, host: host)
  }

  private static func redirect(
    _ redirect: VirtualService.Redirect, at path: FieldPath
  ) throws(ConfigError) -> Envoy.RedirectAction {
    var action = Envoy.RedirectAction()
    action.responseCode =
      switch redirect.code {
      case 301: .movedPermanently
      case 302: .found
      case 303: .seeOther
      case 307: .temporaryRedirect
      case 308: .permanentRedirect
      default:
        throw ConfigError(
          .invalid, at: path["redirectCode"],
          reason: "expected 301, 302, 303, 307 or 308, found \(redirect.code); "
            + "the route is left out")
      }
    if !redirect.uri.isEmpty { action.pathRedirect = redirect.uri }
    action.hostRedirect = redirect.authority
    if !redirect.scheme.isEmpty { action.schemeRedirect = redirect.scheme }
    if let port = redirect.port { action.portRedirect = UInt32(port) }
    return action
  }
}

/// Answers that the proxy gives by itself.
enum DirectResponse {
  /// The largest body, as Istio sets it; Envoy's own limit is 4 KiB.
  static let maximumBody: UInt32 = 1 << 20

  static func action(
    _ response: VirtualService.DirectResponse, at path: FieldPath
  ) throws(ConfigError) -> Envoy_Config_Route_V3_DirectResponseAction {
    guard (200..<600).contains(response.status) else {
      throw ConfigError(
        .invalid, at: path["status"],
        reason: "expected an HTTP status from 200 to 599, found \(response.status); "
          + "the route is left out")
    }
    guard response.body.count <= Int(maximumBody) else {
      throw ConfigError(
        .invalid, at: path["body"],
        reason: "expected at most \(maximumBody) bytes, found \(response.body.count); "
          + "the route is left out")
    }
    return Envoy_Config_Route_V3_DirectResponseAction.with {
      $0.status = response.status
      if response.body.isEmpty { return }
      if let text = String(validating: response.body, as: UTF8.self) {
        $0.body.inlineString = text
      } else {
        $0.body.inlineBytes = Data(response.body)
      }
    }
  }
}

/// Istio's retries where a route asks for none.
enum DefaultRetry {
  static let policy = Envoy.RetryPolicy.with {
    $0.retryOn =
      "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
    $0.numRetries = Google_Protobuf_UInt32Value(2)
    $0.hostSelectionRetryMaxAttempts = 5
    $0.retryHostPredicate = [
      Envoy.RetryPolicy.RetryHostPredicate.with {
        $0.name = "envoy.retry_host_predicates.previous_hosts"
        $0.typedConfig.typeURL =
          "type.googleapis.com/"
          + "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
      }
    ]
  }
}
