// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Looks for names in VirtualServices and DestinationRules that lead nowhere: warnings, since what they name may come later.
enum References {
  static func check(
    _ inventory: Inventory, _ services: [Service], _ problems: inout [ConfigError]
  ) {
    let gateways = Set(inventory.gateways.map { "\($0.meta.namespace)/\($0.meta.name)" })
    // Positions, since a service has many references to count on each copy.
    let byHostname = Dictionary(grouping: services.indices) { services[$0].hostname }
    let wildcards = services.indices.filter { services[$0].hostname.hasPrefix("*") }
    for rule in inventory.destinationRules {
      let hostname = Hostname.resolve(rule.host, in: rule.meta.namespace)
      if byHostname[hostname] != nil { continue }
      // A wildcard is there for services to come, and a service's wildcard covers narrower names.
      if hostname.hasPrefix("*")
        || wildcards.contains(where: { Hostname.isSubset(hostname, of: services[$0].hostname) })
      {
        continue
      }
      problems.append(
        ConfigError(
          .notFound, severity: .warning, object: rule.ref, at: FieldPath("spec", "host"),
          reason: "there is no service \(hostname)"))
    }
    for virtualService in inventory.virtualServices {
      func warn(_ path: FieldPath, _ reason: String) {
        problems.append(
          ConfigError(
            .notFound, severity: .warning, object: virtualService.ref, at: path, reason: reason))
      }
      let namespace = virtualService.meta.namespace
      for (index, name) in virtualService.gateways.enumerated() where name != "mesh" {
        let full = VirtualService.gatewayName(name, in: namespace)
        if !gateways.contains(full) {
          warn(FieldPath("spec", "gateways")[index], "there is no Gateway \(full)")
        }
      }
      func check(_ destination: VirtualService.Destination, at place: () -> FieldPath) {
        let hostname = Hostname.resolve(destination.host, in: namespace)
        let candidates =
          byHostname[hostname]
          ?? wildcards.filter { Hostname.isSubset(hostname, of: services[$0].hostname) }
        let visible = candidates.filter { services[$0].isVisible(in: namespace) }
        // Paths are built only where there is something to say.
        if visible.isEmpty {
          warn(
            place()["host"],
            candidates.isEmpty
              ? "there is no service \(hostname)"
              : "the service \(hostname) is not exported to namespace \(namespace)")
        } else if let port = destination.port,
          !visible.contains(where: { services[$0].ports.contains { $0.number == port } })
        {
          let ports = visible.flatMap { services[$0].ports }.map { "\($0.number)" }
          warn(
            place()["port"]["number"],
            "\(hostname) has no port \(port), but \(ports.joined(separator: ", "))")
        }
      }
      for route in virtualService.http {
        for (destination, place) in destinations(of: route) {
          check(destination) { route.path + place() }
        }
      }
      for route in virtualService.tls + virtualService.tcp {
        for (index, weighted) in route.destinations.enumerated() {
          check(weighted.destination) { route.path["route"][index]["destination"] }
        }
      }
    }
  }

  /// Where a route sends requests and their copies, each with its place in the route.
  private static func destinations(
    of route: VirtualService.HTTPRoute
  ) -> [(VirtualService.Destination, () -> FieldPath)] {
    let mirrors = route.mirrors.map { mirror in (mirror.destination, { mirror.path }) }
    guard case .route(let destinations) = route.action else { return mirrors }
    return destinations.enumerated().map { index, weighted in
      (weighted.destination, { FieldPath("route")[index]["destination"] })
    } + mirrors
  }
}
