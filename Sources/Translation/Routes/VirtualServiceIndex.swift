// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// A VirtualService with its names written out in full.
struct ResolvedVirtualService {
  let object: VirtualService
  /// Full host names, without duplicates.
  let hosts: [String]
  /// `namespace/name`, or `mesh` for the sidecars.
  let gateways: [String]

  init(_ object: VirtualService) {
    self.object = object
    let namespace = object.meta.namespace
    var seen: Set<String> = []
    hosts = object.hosts.map { Hostname.resolve($0, in: namespace) }
      .filter { seen.insert($0).inserted }
    gateways =
      object.gateways.isEmpty
      ? [VirtualService.mesh]
      : object.gateways.map { VirtualService.gatewayName($0, in: namespace) }
  }
}

/// The VirtualServices that a proxy may use, by the gateway that they are bound to: those for its own
/// namespace alone, those for it by name, those for all; each oldest first.
struct VirtualServiceIndex {
  private let byGateway: [String: [ResolvedVirtualService]]

  init(_ scope: ProxyScope) {
    var byVisibility: [VirtualService.Visibility: [ResolvedVirtualService]] = [:]
    for object in scope.mesh.virtualServices {
      guard let visibility = object.visibility(in: scope.proxy.namespace, default: []) else {
        continue
      }
      byVisibility[visibility, default: []].append(ResolvedVirtualService(object))
    }
    var byGateway: [String: [ResolvedVirtualService]] = [:]
    for visibility in VirtualService.Visibility.allCases {
      for resolved in byVisibility[visibility] ?? [] {
        for gateway in Set(resolved.gateways) { byGateway[gateway, default: []].append(resolved) }
      }
    }
    self.byGateway = byGateway
  }

  subscript(gateway: String) -> [ResolvedVirtualService] { byGateway[gateway] ?? [] }
}
