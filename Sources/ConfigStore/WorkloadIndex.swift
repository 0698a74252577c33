// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The WorkloadEntries and Pods of a mesh, found by what selects them or by their address.
struct WorkloadIndex {
  /// A workload that services can have as an endpoint.
  struct Workload: Equatable {
    var address: String
    /// By port name, where it says so itself.
    var ports: [String: UInt16] = [:]
    var labels: [String: String]
    var locality = ""
    var weight: UInt32 = 0
    var isReady = true
    /// Nil for a Pod, which is no configuration.
    var origin: Origin?
  }

  private struct Label: Hashable {
    var namespace: String
    var name: String
    var value: String
  }

  private struct Name: Hashable {
    var namespace: String
    var name: String
  }

  private var workloads: [Workload] = []
  private var byNamespace: [String: [Int]] = [:]
  private var byLabel: [Label: [Int]] = [:]
  private var podsByName: [Name: Pod] = [:]
  private var podsByAddress: [String: Pod] = [:]

  init(_ sources: Inventory.ServiceSources) {
    for entry in sources.workloadEntries {
      let endpoint = entry.endpoint
      add(
        Workload(
          address: endpoint.address, ports: endpoint.ports, labels: endpoint.labels,
          locality: endpoint.locality, weight: endpoint.weight, origin: entry.origin),
        in: entry.meta.namespace)
    }
    for pod in sources.pods {
      podsByName[Name(namespace: pod.meta.namespace, name: pod.meta.name)] = pod
      for address in pod.addresses where podsByAddress[address] == nil {
        podsByAddress[address] = pod
      }
      guard let address = pod.addresses.first else { continue }
      add(
        Workload(address: address, labels: pod.meta.labels, isReady: pod.isReady),
        in: pod.meta.namespace)
    }
  }

  private mutating func add(_ workload: Workload, in namespace: String) {
    let position = workloads.count
    workloads.append(workload)
    byNamespace[namespace, default: []].append(position)
    for (name, value) in workload.labels {
      byLabel[Label(namespace: namespace, name: name, value: value), default: []].append(position)
    }
  }

  /// The workloads of a namespace with the labels of a selector: WorkloadEntries before Pods.
  ///
  /// An empty selector selects all of them.
  func workloads(in namespace: String, selectedBy selector: LabelSelector) -> [Workload] {
    var shortest = byNamespace[namespace] ?? []
    for (name, value) in selector.matchLabels {
      let found = byLabel[Label(namespace: namespace, name: name, value: value)] ?? []
      if found.count < shortest.count { shortest = found }
    }
    return shortest.map { workloads[$0] }.filter { selector.matches($0.labels) }
  }

  /// The labels of the Pod behind an address of a slice; empty where no Pod is known.
  func labels(of address: EndpointSlice.Address, in namespace: String) -> [String: String] {
    let named =
      address.pod.isEmpty ? nil : podsByName[Name(namespace: namespace, name: address.pod)]
    return (named ?? podsByAddress[address.ip])?.meta.labels ?? [:]
  }
}
