// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Looks for names in VirtualServices and DestinationRules that lead nowhere: warnings, since what they name may come later.
enum References {
  static func check(
    _ inventory: Inventory, _ services: [Service], _ problems: inout [ConfigError]
  ) {
    let gateways = Set(inventory.gateways.map(\.ref))
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
        let ref = gateway(name, from: namespace)
        if !gateways.contains(ref) {
          warn(FieldPath("spec", "gateways")[index], "there is no \(ref)")
        }
      }
      for route in virtualService.http {
        guard case .route(let destinations) = route.action else { continue }
        for (index, weighted) in destinations.enumerated() {
          let destination = weighted.destination
          // Paths are built only where there is something to say.
          var path: FieldPath { route.path["route"][index]["destination"] }
          let hostname = Hostname.resolve(destination.host, in: namespace)
          let candidates =
            byHostname[hostname]
            ?? wildcards.filter { Hostname.isSubset(hostname, of: services[$0].hostname) }
          let visible = candidates.filter { services[$0].isVisible(in: namespace) }
          if visible.isEmpty {
            warn(
              path["host"],
              candidates.isEmpty
                ? "there is no service \(hostname)"
                : "the service \(hostname) is not exported to namespace \(namespace)")
          } else if let port = destination.port,
            !visible.contains(where: { services[$0].ports.contains { $0.number == port } })
          {
            let ports = visible.flatMap { services[$0].ports }.map { "\($0.number)" }
            warn(
              path["port"]["number"],
              "\(hostname) has no port \(port), but \(ports.joined(separator: ", "))")
          }
        }
      }
    }
  }

  /// `name` in the namespace of the VirtualService, or `namespace/name`.
  private static func gateway(_ name: String, from namespace: String) -> ObjectRef {
    let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
    return parts.count == 2
      ? ObjectRef(kind: .gateway, namespace: parts[0], name: parts[1])
      : ObjectRef(kind: .gateway, namespace: namespace, name: name)
  }
}
