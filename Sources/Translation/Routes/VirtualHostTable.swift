// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The virtual hosts of one route configuration, by domain.
struct VirtualHostTable {
  private var hosts: [EncodedVirtualHost.Argument] = []
  private var positions: [String: Int] = [:]
  /// What the virtual hosts come from.
  var origins: [Origin] = []

  var isEmpty: Bool { hosts.isEmpty }

  /// Adds routes to the virtual host of a domain, making it if there is none.
  mutating func append(
    _ routes: RouteList?, to domain: String, port: UInt16, requiresTLS: Bool
  ) {
    // Envoy compares domains without regard to case and refuses a repeated one.
    let key = domain.lowercased()
    let position = positions[key] ?? hosts.count
    if position == hosts.count {
      positions[key] = position
      hosts.append(EncodedVirtualHost.Argument(name: "\(domain):\(port)", domains: [domain]))
    }
    if let routes { hosts[position].lists.append(routes) }
    if requiresTLS { hosts[position].requiresTLS = true }
  }

  /// Envoy answers 404 where a virtual host has no routes.
  mutating func addBlackHole(port: UInt16) {
    hosts.append(
      EncodedVirtualHost.Argument(
        name: "blackhole:\(port)", domains: ["*"], countsAttempts: false))
  }

  /// Adds a virtual host with those of its domains that none has yet; nothing if none is left.
  mutating func append(_ name: String, domains: [String], _ routes: RouteList) {
    let free = domains.filter { domain in
      let key = domain.lowercased()
      guard positions[key] == nil else { return false }
      positions[key] = hosts.count
      return true
    }
    guard !free.isEmpty else { return }
    hosts.append(EncodedVirtualHost.Argument(name: name, domains: free, lists: [routes]))
  }

  /// The whole configuration, with the virtual hosts in name order.
  func configuration(
    named name: String, origins: [Origin] = [], in scope: ProxyScope
  ) -> RouteConfigurationDraft {
    let encoded = scope.round.memory.encoded(hosts.sorted { $0.name < $1.name }, of: name)
    let head = Envoy.RouteConfiguration.with {
      $0.name = name
      // Clusters and routes travel separately; a route must not be refused for a cluster to come.
      $0.validateClusters = Google_Protobuf_BoolValue(false)
      $0.maxDirectResponseBodySizeBytes = Google_Protobuf_UInt32Value(DirectResponse.maximumBody)
      $0.ignorePortInHostMatching = true
    }
    return RouteConfigurationDraft(
      head, encoded, origins: origins + self.origins, in: scope.proxy.role)
  }
}
