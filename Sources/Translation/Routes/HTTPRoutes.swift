// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The routes of one VirtualService, as one gateway or the sidecars see it on one port.
///
/// A route that Envoy would refuse is left out and reported: a whole route configuration is one
/// resource, so a single bad expression would otherwise freeze the routes of everybody.
struct HTTPRoutes {
  let argument: VirtualServiceRoutes.Argument
  private(set) var problems: [ConfigError] = []
  /// The DestinationRules that decide about something in the routes.
  var ruleOrigins: [Origin] = []
  /// The route whose parts are being built.
  private var current: VirtualService.HTTPRoute?
  private var destinations: [String: RouteDestinations.Destination] = [:]

  init(_ argument: VirtualServiceRoutes.Argument) {
    self.argument = argument
    for destination in argument.destinations.all { destinations[destination.host] = destination }
  }

  var object: VirtualService { argument.object.object }
  var port: UInt16 { argument.port }
  var gateway: String { argument.gateway }
  var isTLS: Bool { argument.isTLS }
  var proxy: ProxyClass { argument.surroundings.value.proxy }

  /// One route for each match, in order, up to the first that matches everything.
  mutating func routes() -> [Envoy.Route] {
    let metadata = Self.metadata(of: object)
    var routes: [Envoy.Route] = []
    for http in object.http {
      current = http
      guard
        var template = attempt({ builder throws(ConfigError) in try builder.withoutMatch(http) })
      else { continue }
      template.metadata = metadata
      enablePlugins(of: http, on: &template)
      guard !http.matches.isEmpty else {
        template.match.prefix = "/"
        routes.append(template)
        return routes
      }
      for (index, match) in http.matches.enumerated() where applies(match) {
        let path = http.path["match"][index]
        guard let condition = attempt({ _ throws(ConfigError) in try Self.condition(match, path) })
        else { continue }
        var route = template
        route.match = condition
        if !match.name.isEmpty { route.name = "\(http.name).\(match.name)" }
        route.statPrefix = match.statPrefix
        routes.append(route)
        if route.isCatchAll { return routes }
      }
    }
    return routes
  }

  /// What is known of a service, by its full name.
  func destination(_ host: String) -> RouteDestinations.Destination {
    guard let destination = destinations[host] else {
      preconditionFailure(
        "a route names \(host), which is not among the hosts of its VirtualService")
    }
    return destination
  }

  /// The result, or nil with the problem reported.
  private mutating func attempt<Result>(
    _ body: (inout Self) throws(ConfigError) -> Result
  ) -> Result? {
    do throws(ConfigError) {
      return try body(&self)
    } catch {
      report(error)
      return nil
    }
  }

  mutating func report(_ problem: ConfigError) {
    var problem = problem
    problem.object = current?.delegated?.object ?? object.ref
    problems.append(problem)
  }

  /// Conditions on where the request comes in are decided here, not by Envoy.
  private func applies(_ match: VirtualService.HTTPMatch) -> Bool {
    if let wanted = match.port, wanted != UInt32(port) { return false }
    guard match.sourceLabels.allSatisfy({ proxy.labels[$0] == $1 }),
      match.sourceNamespace.isEmpty || match.sourceNamespace == proxy.namespace
    else { return false }
    return match.gateways.isEmpty
      || match.gateways.contains {
        VirtualService.gatewayName($0, in: object.meta.namespace) == gateway
      }
  }

  /// Which object a route comes from, for whoever reads a configuration dump, in Istio's form.
  private static func metadata(of object: VirtualService) -> Envoy.Metadata {
    let path =
      "/apis/networking.istio.io/v1/namespaces/\(object.meta.namespace)"
      + "/virtual-service/\(object.meta.name)"
    return Envoy.Metadata.with {
      $0.filterMetadata = ["istio": ["config": Google_Protobuf_Value(stringValue: path)]]
    }
  }
}

extension Envoy.Route {
  /// Matches every request: nothing behind it is ever reached.
  var isCatchAll: Bool {
    switch match.pathSpecifier {
    case .prefix("/"): break
    case .safeRegex(let expression) where expression.regex == ".*": break
    default: return false
    }
    return match.headers.isEmpty && match.queryParameters.isEmpty && match.dynamicMetadata.isEmpty
  }
}
