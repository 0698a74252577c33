// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Looks for `tls` and `tcp` of VirtualServices that no sidecar can act on: it listens for services, and
/// only for these.
enum ConnectionReferences {
  private static let listeners: [(field: String, protocols: Set<ServiceProtocol>, text: String)] = [
    ("tls", [.tls, .https], "TLS or HTTPS"),
    ("tcp", [.tcp, .mongo, .mysql, .redis, .unspecified], "TCP, or of none that is named"),
  ]

  static func check(
    _ inventory: Inventory, _ services: [Service], _ problems: inout [ConfigError]
  ) {
    let routed = inventory.virtualServices.filter {
      (!$0.tls.isEmpty || !$0.tcp.isEmpty)
        && ($0.gateways.isEmpty || $0.gateways.contains(VirtualService.mesh))
    }
    guard !routed.isEmpty else { return }
    let byHostname = Dictionary(grouping: services.indices) { services[$0].hostname }
    let wildcards = services.indices.filter { services[$0].hostname.hasPrefix("*") }
    for virtualService in routed {
      let hosts = virtualService.hosts.map {
        Hostname.resolve($0, in: virtualService.meta.namespace)
      }
      for (field, protocols, text) in listeners {
        guard !(field == "tls" ? virtualService.tls : virtualService.tcp).isEmpty else { continue }
        let isServed = hosts.contains { host in
          let candidates =
            host.hasPrefix("*") ? Array(services.indices) : (byHostname[host] ?? []) + wildcards
          return candidates.contains { position in
            Hostname.intersection(services[position].hostname, host) != nil
              && services[position].ports.contains { protocols.contains($0.portProtocol) }
          }
        }
        guard !isServed else { continue }
        problems.append(
          ConfigError(
            .notFound, severity: .warning, object: virtualService.ref,
            at: FieldPath("spec", field),
            reason: "has no effect for sidecars: none of the hosts is a service with a port of "
              + "protocol \(text)"))
      }
    }
  }
}
