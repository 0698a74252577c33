// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Looks for `tls` and `tcp` of VirtualServices that no sidecar can act on: it listens for services, and
/// only for these.
struct ConnectionReferences: Piece {
  struct Argument: Equatable {
    let objects: ObjectList<VirtualService>
    let services: Shared<ServiceNames>
  }

  private(set) var problems: [ConfigError] = []

  private static let listeners: [(field: String, protocols: Set<ServiceProtocol>, text: String)] = [
    ("tls", [.tls, .https], "TLS or HTTPS"),
    ("tcp", [.tcp, .mongo, .mysql, .redis, .unspecified], "TCP, or of none that is named"),
  ]

  init(_ argument: Argument) {
    let routed = argument.objects.filter {
      (!$0.tls.isEmpty || !$0.tcp.isEmpty)
        && ($0.gateways.isEmpty || $0.gateways.contains(VirtualService.mesh))
    }
    for virtualService in routed {
      let hosts = virtualService.hosts.map {
        Hostname.resolve($0, in: virtualService.meta.namespace)
      }
      for (field, protocols, text) in Self.listeners {
        guard !(field == "tls" ? virtualService.tls : virtualService.tcp).isEmpty else { continue }
        let isServed = hosts.contains { host in
          argument.services.value.overlapping(host).contains { service in
            service.ports.contains { protocols.contains($0.portProtocol) }
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
