// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Makes the services of the registry: one for each host of a ServiceEntry, one for each Kubernetes
/// Service with the endpoints that name it.
struct ServiceRegistry: Sendable {
  /// All services, one for each host name and namespace.
  struct Registered: Sendable {
    var index: ServiceIndex
    var names: Shared<ServiceNames>
    var problems: [ConfigError]
  }

  private struct Argument: Equatable {
    let sources: Inventory.ServiceSources
    let exportTo: [String]
  }

  private struct Key: Hashable {
    var namespace: String
    var hostname: String
  }

  private var last: (argument: Argument, registered: Registered)?
  private var declared = Pieces<ObjectRef, DeclaredServices>()

  /// All services; `exportTo` is for those that do not say it, whatever declares them.
  mutating func services(
    of sources: Inventory.ServiceSources, exportTo: [String]
  ) -> Registered {
    let argument = Argument(sources: sources, exportTo: exportTo)
    if let last, last.argument == argument { return last.registered }
    var problems: [ConfigError] = []
    var services = services(of: sources, &problems)
    if !exportTo.isEmpty {
      for position in services.indices where services[position].exportTo.isEmpty {
        services[position].exportTo = exportTo
      }
    }
    let registered = Registered(
      index: ServiceIndex(services),
      names: .keeping(last?.registered.names, ServiceNames(services)), problems: problems)
    last = (argument, registered)
    return registered
  }

  private mutating func services(
    of sources: Inventory.ServiceSources, _ problems: inout [ConfigError]
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
    let workloads = WorkloadIndex(sources)
    let endpoints = KubernetesEndpoints(sources, workloads)
    for service in sources.kubernetesServices {
      add(endpoints.service(of: service), service.ref, at: FieldPath("metadata", "name"))
    }
    for entry in sources.serviceEntries {
      let selected = entry.workloadSelector.map {
        workloads.workloads(in: entry.meta.namespace, selectedBy: $0)
      }
      let argument = DeclaredServices.Argument(entry: entry, workloads: selected ?? [])
      for (index, service) in declared.part(entry.ref, argument).services.enumerated() {
        add(service, entry.ref, at: FieldPath("spec", "hosts")[index])
      }
    }
    declared.forgetUnused()
    endpoints.reportOrphans(sources, &problems)
    return services
  }
}

/// The services of one ServiceEntry, by the order of its hosts.
private struct DeclaredServices: Piece {
  struct Argument: Equatable {
    let entry: ServiceEntry
    /// Those that the entry selects.
    let workloads: [WorkloadIndex.Workload]
  }

  let services: [Service]

  init(_ argument: Argument) {
    services = argument.entry.hosts.map { argument.entry.service(for: $0, argument.workloads) }
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
  fileprivate func service(for host: String, _ workloads: [WorkloadIndex.Workload]) -> Service {
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
    if resolution != .none, resolution != .dynamicDNS {
      for workload in workloads {
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
