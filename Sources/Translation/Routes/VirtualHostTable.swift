// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// The virtual hosts of one route configuration, by domain.
struct VirtualHostTable {
  private var hosts: [Envoy.VirtualHost] = []
  private var positions: [String: Int] = [:]
  /// What the virtual hosts come from.
  var origins: [Origin] = []

  var isEmpty: Bool { hosts.isEmpty }

  /// Adds routes to the virtual host of a domain, making it if there is none.
  mutating func append(
    _ routes: [Envoy.Route], to domain: String, port: UInt16, requiresTLS: Bool
  ) {
    // Envoy compares domains without regard to case and refuses a repeated one.
    let key = domain.lowercased()
    let position = positions[key] ?? hosts.count
    if position == hosts.count {
      positions[key] = position
      hosts.append(
        Envoy.VirtualHost.with {
          $0.name = "\(domain):\(port)"
          $0.domains = [domain]
          $0.includeRequestAttemptCount = true
        })
    }
    hosts[position].routes += routes
    if requiresTLS { hosts[position].requireTls = .all }
  }

  /// Envoy answers 404 where a virtual host has no routes.
  mutating func addBlackHole(port: UInt16) {
    hosts.append(
      Envoy.VirtualHost.with {
        $0.name = "blackhole:\(port)"
        $0.domains = ["*"]
      })
  }

  /// Adds a virtual host with those of its domains that none has yet; nothing if none is left.
  mutating func append(_ host: Envoy.VirtualHost) {
    var host = host
    host.domains = host.domains.filter { domain in
      let key = domain.lowercased()
      guard positions[key] == nil else { return false }
      positions[key] = hosts.count
      return true
    }
    if !host.domains.isEmpty { hosts.append(host) }
  }

  /// In name order, with the routes that match everything moved behind the others of their host.
  var virtualHosts: [Envoy.VirtualHost] {
    hosts.sorted { $0.name < $1.name }.map { host in
      guard let first = host.routes.firstIndex(where: \.isCatchAll),
        first < host.routes.count - 1
      else { return host }
      var host = host
      host.routes =
        host.routes.filter { !$0.isCatchAll } + host.routes.filter(\.isCatchAll)
      return host
    }
  }
}

/// What all route configurations have in common.
enum RouteConfiguration {
  static func message(
    named name: String, _ table: VirtualHostTable
  ) -> Envoy.RouteConfiguration {
    Envoy.RouteConfiguration.with {
      $0.name = name
      $0.virtualHosts = table.virtualHosts
      // Clusters and routes travel separately; a route must not be refused for a cluster to come.
      $0.validateClusters = Google_Protobuf_BoolValue(false)
      $0.maxDirectResponseBodySizeBytes = Google_Protobuf_UInt32Value(DirectResponse.maximumBody)
      $0.ignorePortInHostMatching = true
    }
  }
}
