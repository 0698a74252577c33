// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Joins Kubernetes Services with their EndpointSlices and Endpoints.
struct KubernetesEndpoints {
  private struct Key: Hashable {
    var namespace: String
    var name: String
  }

  private struct Group {
    var object: ObjectRef
    var origin: Origin
    var ports: [EndpointSlice.Port]
    var addresses: [EndpointSlice.Address]
  }

  /// Where Kubernetes' cluster domain is not configured; the same default as Istio's.
  private static let clusterDomain = "svc.cluster.local"
  /// Istio's annotation for what ServiceEntry has as a field.
  private static let exportAnnotation = "networking.istio.io/exportTo"

  private var groups: [Key: [Group]] = [:]
  private let workloads: WorkloadIndex

  init(_ sources: Inventory.ServiceSources, _ workloads: WorkloadIndex) {
    self.workloads = workloads
    for slice in sources.endpointSlices where !slice.serviceName.isEmpty {
      let key = Key(namespace: slice.meta.namespace, name: slice.serviceName)
      groups[key, default: []].append(
        Group(
          object: slice.ref, origin: slice.origin, ports: slice.ports, addresses: slice.addresses))
    }
    for endpoints in sources.endpoints {
      let key = Key(namespace: endpoints.meta.namespace, name: endpoints.meta.name)
      // Kubernetes mirrors Endpoints to slices, which then say the same and more.
      guard groups[key] == nil else { continue }
      groups[key] = endpoints.subsets.map {
        Group(
          object: endpoints.ref, origin: endpoints.origin, ports: $0.ports, addresses: $0.addresses)
      }
    }
  }

  func service(of object: KubernetesService) -> Service {
    let meta = object.meta
    let exportTo = (meta.annotations[Self.exportAnnotation] ?? "").split(separator: ",")
      .map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
    var service = Service(
      hostname: "\(meta.name).\(meta.namespace).\(Self.clusterDomain)", namespace: meta.namespace,
      addresses: object.clusterIP.isEmpty ? [] : [object.clusterIP],
      ports: object.ports.map {
        Service.Port(number: $0.number, name: $0.name, portProtocol: $0.portProtocol)
      },
      // Clients of a headless service choose the endpoint themselves.
      resolution: object.isHeadless ? .none : .static, isMeshInternal: true, exportTo: exportTo,
      selector: object.selector,
      origins: [object.origin], creationTimestamp: meta.creationTimestamp)
    for port in object.ports {
      if case .number(let number) = port.targetPort { service.targetPorts[port.number] = number }
    }
    if let externalName = object.externalName {
      service.resolution = .dns
      service.isMeshInternal = false
      let targets = object.ports.map { ($0.number, service.targetPorts[$0.number] ?? $0.number) }
      service.endpoints = [
        Service.Endpoint(address: externalName, ports: Dictionary(uniqueKeysWithValues: targets))
      ]
      return service
    }
    addEndpoints(of: object, to: &service)
    addWorkloads(of: object, to: &service)
    return service
  }

  private func addEndpoints(of object: KubernetesService, to service: inout Service) {
    var seen: Set<Service.Endpoint> = []
    for group in groups[Key(namespace: object.meta.namespace, name: object.meta.name)] ?? [] {
      var targets: [UInt16: UInt16] = [:]
      for port in object.ports {
        // A slice says which port of the pods stands for a port of the Service, by name.
        guard let target = group.ports.first(where: { $0.name == port.name }) else { continue }
        targets[port.number] = target.number
        if case .name = port.targetPort { service.targetPorts[port.number] = target.number }
      }
      for address in group.addresses {
        let endpoint = Service.Endpoint(
          address: address.ip, ports: targets,
          labels: workloads.labels(of: address, in: object.meta.namespace),
          locality: address.zone.isEmpty ? "" : "/\(address.zone)", isHealthy: address.isReady)
        if seen.insert(endpoint).inserted { service.endpoints.append(endpoint) }
      }
      if !service.origins.contains(group.origin) { service.origins.append(group.origin) }
    }
  }

  /// WorkloadEntries with the labels of the Service's Pods are endpoints, too; Pods come by slices.
  private func addWorkloads(of object: KubernetesService, to service: inout Service) {
    guard let selector = object.selector else { return }
    for workload in workloads.workloads(in: object.meta.namespace, selectedBy: selector) {
      guard let origin = workload.origin else { continue }
      var targets: [UInt16: UInt16] = [:]
      for port in object.ports {
        targets[port.number] =
          workload.ports[port.name] ?? service.targetPorts[port.number] ?? port.number
      }
      service.endpoints.append(
        Service.Endpoint(
          address: workload.address, ports: targets, labels: workload.labels,
          locality: workload.locality, weight: workload.weight))
      service.origins.append(origin)
    }
  }

  /// Warns about endpoints of no Service, and about ports that no port of the Service is named after.
  func reportOrphans(_ sources: Inventory.ServiceSources, _ problems: inout [ConfigError]) {
    let services = Dictionary(
      sources.kubernetesServices.map {
        (Key(namespace: $0.meta.namespace, name: $0.meta.name), $0)
      }, uniquingKeysWith: { first, _ in first })
    func warn(_ object: ObjectRef, _ path: FieldPath, _ reason: String) {
      problems.append(
        ConfigError(.notFound, severity: .warning, object: object, at: path, reason: reason))
    }
    for (key, groups) in groups {
      let service = services[key]
      for object in Set(groups.map(\.object)) {
        let path =
          object.kind == .endpoints
          ? FieldPath("metadata", "name")
          : FieldPath("metadata", "labels")["kubernetes.io/service-name"]
        guard let service else {
          warn(object, path, "there is no Service \(key.namespace)/\(key.name)")
          continue
        }
        let ports = groups.filter { $0.object == object }.flatMap(\.ports)
        let names = Set(service.ports.map(\.name))
        if !ports.isEmpty, !ports.contains(where: { names.contains($0.name) }) {
          warn(
            object, FieldPath("ports"),
            "no port has the name of a port of the Service (\(names.sorted().joined(separator: ", ")))"
          )
        }
      }
    }
  }
}
