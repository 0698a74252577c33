// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What a sidecar may call through one of the listeners of its Sidecar resource, or all that there is
/// where nothing limits it.
struct EgressScope {
  /// Nil without a Sidecar resource.
  let listener: Sidecar.EgressListener?
  /// In name order.
  let services: [Service]
  private let hosts: [Sidecar.Host]
  private let namespace: String

  /// Everything.
  init(_ services: [Service], from namespace: String) {
    listener = nil
    hosts = []
    self.services = services
    self.namespace = namespace
  }

  /// - Parameters:
  ///   - listener: limits the services.
  ///   - visible: all that the proxy's namespace may use, in name order.
  ///   - mesh: for the destinations of VirtualServices, which come along with these.
  ///   - namespace: of the proxy.
  init(
    _ listener: Sidecar.EgressListener, _ visible: [Service], _ mesh: MeshSnapshot,
    from namespace: String
  ) {
    self.listener = listener
    self.namespace = namespace
    hosts = listener.hosts
    let hosts = listener.hosts
    var chosen = Set(
      visible.filter { service in
        hosts.contains {
          $0.includes(service.namespace, from: namespace)
            && Hostname.isSubset(service.hostname, of: $0.dnsName)
        }
      }.map(\.hostname))
    for object in mesh.virtualServices
    where object.visibility(in: namespace, default: []) != nil {
      let resolved = ResolvedVirtualService(object)
      guard resolved.gateways.contains(VirtualService.mesh),
        Self.imports(resolved, hosts, from: namespace)
      else { continue }
      chosen.formUnion(resolved.destinations)
    }
    let port = listener.port?.number
    services = visible.filter { service in
      chosen.contains(service.hostname)
        && (port == nil || service.ports.contains { $0.number == port })
    }
  }

  /// Whether the routes of a VirtualService count for what goes through the listener.
  func imports(_ virtualService: ResolvedVirtualService) -> Bool {
    listener == nil || Self.imports(virtualService, hosts, from: namespace)
  }

  private static func imports(
    _ virtualService: ResolvedVirtualService, _ hosts: [Sidecar.Host], from namespace: String
  ) -> Bool {
    hosts.contains { host in
      host.includes(virtualService.object.meta.namespace, from: namespace)
        && virtualService.hosts.contains { Hostname.intersection($0, host.dnsName) != nil }
    }
  }
}

extension Sidecar.Host {
  fileprivate func includes(_ other: String, from own: String) -> Bool {
    switch namespace {
    case .any: true
    case .own: other == own
    case .none: false
    case .named(let name): other == name
    }
  }
}
