// SPDX-License-Identifier: Apache-2.0

/// The services of a mesh, as they are looked for; equal to its copies alone.
package struct ServiceIndex: Equatable, Sendable {
  private let stamp = Stamp()
  /// By host name, then namespace.
  package let all: [Service]
  /// The oldest first.
  private let byHostname: [String: [Service]]
  /// Which of them a workload backs.
  let instances: ServiceInstances

  package init(_ services: [Service] = []) {
    // Sorts positions, as a service has dozens of references to count on each move.
    all = services.indices.sorted {
      (services[$0].hostname, services[$0].namespace)
        < (services[$1].hostname, services[$1].namespace)
    }.map { services[$0] }
    byHostname = Dictionary(grouping: all, by: \.hostname).mapValues { services in
      services.count == 1
        ? services : services.sorted { $0.creationTimestamp < $1.creationTimestamp }
    }
    instances = ServiceInstances(services)
  }

  package static func == (left: Self, right: Self) -> Bool { left.stamp == right.stamp }

  /// Whether there are services of a name, for whomever.
  package func contains(_ hostname: String) -> Bool { byHostname[hostname] != nil }

  /// The service that a fully qualified host name means to workloads of a namespace.
  ///
  /// The own namespace first, then the oldest that is exported to it.
  package func service(named hostname: String, visibleIn namespace: String) -> Service? {
    guard let candidates = byHostname[hostname] else { return nil }
    if candidates.count == 1 { return candidates[0].isVisible(in: namespace) ? candidates[0] : nil }
    return candidates.first { $0.namespace == namespace && $0.isVisible(in: namespace) }
      ?? candidates.first { $0.isVisible(in: namespace) }
  }
}

/// The service ports that workloads back: by their addresses, or by their labels in the namespace of a
/// service with a selector.
struct ServiceInstances: Hashable, Sendable {
  /// A service that finds its workloads by their labels.
  private struct SelectedService: Hashable, Sendable {
    var selector: LabelSelector
    var instances: [ProxyClass.ServiceInstance]
  }

  /// What services select on.
  private(set) var labelKeys: Set<String> = []
  private var byAddress: [String: [ProxyClass.ServiceInstance]] = [:]
  /// By namespace.
  private var selected: [String: [SelectedService]] = [:]

  init(_ services: [Service]) {
    for service in services { add(service) }
  }

  func instances(of proxy: Proxy) -> [ProxyClass.ServiceInstance] {
    var found = Set(proxy.ipAddresses.flatMap { byAddress[$0] ?? [] })
    for service in selected[proxy.namespace] ?? [] where service.selector.matches(proxy.labels) {
      found.formUnion(service.instances)
    }
    return found.sorted()
  }

  private mutating func add(_ service: Service) {
    func instance(of port: Service.Port, targetPort: UInt16?) -> ProxyClass.ServiceInstance {
      ProxyClass.ServiceInstance(
        hostname: service.hostname, namespace: service.namespace, servicePort: port.number,
        targetPort: targetPort ?? port.number, portProtocol: port.portProtocol)
    }
    for endpoint in service.endpoints {
      for port in service.ports {
        guard let target = endpoint.ports[port.number] else { continue }
        byAddress[endpoint.address, default: []].append(
          instance(of: port, targetPort: target))
      }
    }
    guard let selector = service.selector else { return }
    labelKeys.formUnion(selector.matchLabels.keys)
    guard !selector.matchLabels.isEmpty else { return }
    selected[service.namespace, default: []].append(
      SelectedService(
        selector: selector,
        instances: service.ports.map {
          instance(of: $0, targetPort: service.targetPorts[$0.number])
        }))
  }
}
