// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The VirtualServices whose `tls` and `tcp` are for sidecars, by host.
struct StreamRouteIndex {
  /// In the order of the index that they are from.
  private let virtualServices: [ResolvedVirtualService]
  /// Positions, by a host without a wildcard.
  private var byHost: [String: [Int]] = [:]
  /// Positions of those with a wildcard among their hosts.
  private var wildcards: [Int] = []

  init(_ index: VirtualServiceIndex) {
    virtualServices = index[VirtualService.mesh].filter {
      !$0.object.tls.isEmpty || !$0.object.tcp.isEmpty
    }
    for (position, virtualService) in virtualServices.enumerated() {
      for host in virtualService.hosts where !host.hasPrefix("*") {
        byHost[host, default: []].append(position)
      }
      if virtualService.hosts.contains(where: { $0.hasPrefix("*") }) {
        wildcards.append(position)
      }
    }
  }

  /// Where those are that have a host in common with a service, in order.
  func positions(for service: Service) -> [Int] {
    guard !virtualServices.isEmpty else { return [] }
    let candidates =
      service.hostname.hasPrefix("*")
      ? Array(virtualServices.indices)
      : Set(byHost[service.hostname] ?? []).union(wildcards).sorted()
    return candidates.filter { position in
      virtualServices[position].hosts.contains {
        Hostname.intersection($0, service.hostname) != nil
      }
    }
  }

  subscript(position: Int) -> ResolvedVirtualService { virtualServices[position] }
}
