// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// Whether a patch is meant for a route configuration, a virtual host and a route:
/// `match.routeConfiguration` of EnvoyFilter, as Istio reads it.
struct RouteMatcher {
  let context: EnvoyFilter.Context
  let match: EnvoyFilter.RouteConfigurationMatch?
  private let matchPath: FieldPath
  /// For each port that a gateway listens on, those of the Services in front of it.
  private let servicePorts: [UInt32: Set<UInt32>]

  init(_ patch: DecodedPatch, servicePorts: [UInt32: Set<UInt32>]) {
    context = patch.patch.context
    match = if case .routeConfiguration(let match) = patch.patch.match { match } else { nil }
    matchPath = patch.matchPath
    self.servicePorts = servicePorts
  }

  private var path: FieldPath { matchPath["routeConfiguration"] }
  private var hostPath: FieldPath { path["vhost"] }

  /// Where to look for route configurations that may match; nil for all.
  var keys: [DraftKey]? {
    guard let match, !match.name.isEmpty else { return nil }
    return [.name(match.name)]
  }

  /// Where to look for virtual hosts that may match; nil for all.
  var hostKeys: [DraftKey]? {
    guard let host = match?.virtualHost else { return nil }
    if !host.name.isEmpty { return [.name(host.name)] }
    return host.domainName.isEmpty ? nil : [.domain(host.domainName)]
  }

  var route: EnvoyFilter.RouteConfigurationMatch.RouteMatch? { match?.virtualHost?.route }

  func compare(_ configuration: RouteConfigurationDraft, _ clauses: inout Clauses) {
    if context != .any {
      clauses.require(
        matchPath["context"], wanted: context.rawValue, found: configuration.context.rawValue,
        context == configuration.context)
    }
    guard let match else { return }
    if !match.name.isEmpty {
      clauses.require(
        path["name"], match.name, among: [configuration.name], match.name == configuration.name)
    }
    guard match.portNumber != 0 || !match.portName.isEmpty || !match.gateway.isEmpty else { return }
    let origin = RouteName(configuration.name)
    if match.portNumber != 0 {
      let ports = origin.port.map { Set([$0]).union(servicePorts[$0] ?? []) } ?? []
      clauses.require(
        path["portNumber"], wanted: "\(match.portNumber)",
        found: ports.sorted().map { "\($0)" }.joined(separator: ", "),
        ports.contains(match.portNumber))
    }
    // The route configurations of sidecars belong to no gateway, so these are not compared.
    guard configuration.context == .gateway else { return }
    if !match.portName.isEmpty {
      clauses.require(
        path["portName"], wanted: match.portName, found: origin.portName,
        hint: Self.sharedHint(origin), match.portName == origin.portName)
    }
    if !match.gateway.isEmpty {
      clauses.require(
        path["gateway"], wanted: match.gateway, found: origin.gateway,
        hint: Self.sharedHint(origin), match.gateway == origin.gateway)
    }
  }

  private static func sharedHint(_ origin: RouteName) -> String? {
    origin.gateway.isEmpty
      ? "the plain HTTP servers of all Gateways share this one; match its name or a virtual host"
      : nil
  }

  func compare(_ host: VirtualHostDraft, _ clauses: inout Clauses) {
    guard let wanted = match?.virtualHost else { return }
    if !wanted.name.isEmpty {
      clauses.require(hostPath["name"], wanted.name, among: [host.name], wanted.name == host.name)
    }
    if !wanted.domainName.isEmpty {
      clauses.require(
        hostPath["domainName"], wanted.domainName, among: host.domains,
        host.domains.contains(wanted.domainName))
    }
  }

  func matches(_ route: HTTPRouteDraft) -> Bool {
    guard let wanted = self.route else { return true }
    return (wanted.name.isEmpty || wanted.name == route.name)
      && (wanted.action == .any || wanted.action == route.action)
  }

  func compare(_ route: HTTPRouteDraft, _ clauses: inout Clauses) {
    guard let wanted = self.route else { return }
    if !wanted.name.isEmpty {
      clauses.require(
        hostPath["route"]["name"], wanted.name, among: [route.name], wanted.name == route.name)
    }
    if wanted.action != .any {
      clauses.require(
        hostPath["route"]["action"], wanted: wanted.action.rawValue,
        found: route.action?.rawValue ?? "", wanted.action == route.action)
    }
  }

  /// Adds the condition that some route of a virtual host is the one that is asked for.
  func compare(anyOf routes: [HTTPRouteDraft], _ clauses: inout Clauses) {
    guard let wanted = route else { return }
    let field = wanted.name.isEmpty ? "action" : "name"
    let text = wanted.name.isEmpty ? wanted.action.rawValue : wanted.name
    clauses.require(
      hostPath["route"][field], text, among: routes.map(\.name), routes.contains(where: matches))
  }
}

/// What the name of a route configuration says, as Istio parses it.
///
/// `http.80`, `http.80.10.0.0.1`, `https.443.port-name.gateway.namespace` with an address behind it
/// where the server binds to one; `80` of sidecars, `inbound|8080||`.
struct RouteName {
  private(set) var port: UInt32?
  private(set) var portName = ""
  /// `namespace/name`, or empty where several gateways share the routes.
  private(set) var gateway = ""

  init(_ name: String) {
    if name.contains("|") {
      let parts = name.split(separator: "|", omittingEmptySubsequences: false)
      port = parts.count == 4 ? UInt32(parts[1]) : nil
      return
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if name.hasPrefix("http.") {
      port = UInt32(parts[1])
    } else if name.hasPrefix("https."), parts.count >= 5 {
      port = UInt32(parts[1])
      portName = parts[2]
      gateway = "\(parts[4])/\(parts[3])"
    } else {
      // `80`, or `host:80`.
      port = UInt32(name.split(separator: ":").last ?? "")
    }
  }
}
