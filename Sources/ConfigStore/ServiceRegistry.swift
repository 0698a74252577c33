// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Makes the services of the registry: one for each host of a ServiceEntry, one for each Kubernetes
/// Service with the endpoints that name it.
enum ServiceRegistry {
  private struct Key: Hashable {
    var namespace: String
    var hostname: String
  }

  /// All services, one for each host name and namespace.
  static func services(
    of inventory: Inventory, _ problems: inout [ConfigError]
  ) -> [Service] {
    var services: [Service] = []
    var positions: [Key: Int] = [:]
    func add(_ service: Service, _ ref: ObjectRef, at path: FieldPath) {
      let key = Key(namespace: service.namespace, hostname: service.hostname)
      guard let position = positions[key] else {
        positions[key] = services.count
        services.append(service)
        return
      }
      // One host is often split by ports over several entries.
      guard !services[position].absorb(service) else { return }
      let first = services[position].origins.first.map { "\($0.object)" } ?? "another object"
      problems.append(
        ConfigError(
          .conflict, severity: .warning, object: ref, at: path,
          reason: "\(service.hostname) is already declared by \(first), which stays in force"))
    }
    let workloads = WorkloadIndex(inventory)
    let endpoints = KubernetesEndpoints(inventory, workloads)
    for service in inventory.kubernetesServices {
      add(endpoints.service(of: service), service.ref, at: FieldPath("metadata", "name"))
    }
    for entry in inventory.serviceEntries {
      for (index, host) in entry.hosts.enumerated() {
        add(entry.service(for: host, workloads), entry.ref, at: FieldPath("spec", "hosts")[index])
      }
    }
    endpoints.reportOrphans(inventory, &problems)
    return services
  }
}

extension Service {
  /// Takes over the ports of another declaration of the same host; false where the two disagree.
  fileprivate mutating func absorb(_ other: Service) -> Bool {
    guard resolution == other.resolution, isMeshInternal == other.isMeshInternal,
      addresses == other.addresses, exportTo == other.exportTo, selector == other.selector,
      !ports.contains(where: { port in
        other.ports.contains { $0.number == port.number || $0.name == port.name }
      })
    else { return false }
    ports += other.ports
    endpoints += other.endpoints
    targetPorts.merge(other.targetPorts) { first, _ in first }
    origins += other.origins
    return true
  }
}

extension ServiceEntry {
  /// The service for one of the hosts.
  fileprivate func service(for host: String, _ workloads: WorkloadIndex) -> Service {
    func target(_ port: Port, _ ports: [String: UInt16]) -> UInt16 {
      ports[port.name] ?? port.targetPort ?? port.number
    }
    func targets(_ ports: [String: UInt16]) -> [UInt16: UInt16] {
      self.ports.reduce(into: [:]) { $0[$1.number] = target($1, ports) }
    }
    var endpoints = self.endpoints.map { endpoint in
      Service.Endpoint(
        address: endpoint.address, ports: targets(endpoint.ports), labels: endpoint.labels,
        locality: endpoint.locality, weight: endpoint.weight)
    }
    var origins = [origin]
    if let workloadSelector, resolution != .none, resolution != .dynamicDNS {
      for workload in workloads.workloads(in: meta.namespace, selectedBy: workloadSelector) {
        endpoints.append(
          Service.Endpoint(
            address: workload.address, ports: targets(workload.ports), labels: workload.labels,
            locality: workload.locality, weight: workload.weight, isHealthy: workload.isReady))
        if let origin = workload.origin { origins.append(origin) }
      }
    }
    if endpoints.isEmpty, workloadSelector == nil, [.dns, .dnsRoundRobin].contains(resolution) {
      // Without endpoints the host itself is looked up.
      endpoints = [Service.Endpoint(address: host, ports: targets([:]))]
    }
    return Service(
      hostname: host, namespace: meta.namespace, addresses: addresses,
      ports: ports.map {
        Service.Port(number: $0.number, name: $0.name, portProtocol: $0.portProtocol)
      },
      resolution: resolution, isMeshInternal: isMeshInternal, exportTo: exportTo,
      endpoints: endpoints, subjectAltNames: subjectAltNames, targetPorts: targets([:]),
      origins: origins,
      creationTimestamp: meta.creationTimestamp)
  }
}
