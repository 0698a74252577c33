// SPDX-License-Identifier: Apache-2.0

/// A `networking.istio.io` ServiceEntry: a service that no Kubernetes Service describes.
package struct ServiceEntry: ConfigObject {
  package static let kind = ObjectKind.serviceEntry

  package struct Port: Hashable, Sendable {
    package var number: UInt16
    package var name: String
    package var portProtocol: ServiceProtocol
    package var targetPort: UInt16?
    package init(
      number: UInt16, name: String, portProtocol: ServiceProtocol, targetPort: UInt16? = nil
    ) {
      self.number = number
      self.name = name
      self.portProtocol = portProtocol
      self.targetPort = targetPort
    }
  }

  /// A WorkloadEntry inside the ServiceEntry.
  package struct WorkloadEndpoint: Hashable, Sendable {
    /// An IP address, a DNS name, or a path for `unix://`.
    package var address: String
    /// By port name; a missing name means the service's target port.
    package var ports: [String: UInt16] = [:]
    package var labels: [String: String] = [:]
    /// `region/zone/subzone`, or empty.
    package var locality = ""
    package var weight: UInt32 = 0
    package init(address: String) { self.address = address }
  }

  package var meta: ObjectMeta
  package var hosts: [String]
  package var addresses: [String]
  package var ports: [Port]
  package var isMeshInternal: Bool
  package var resolution: Service.Resolution
  package var endpoints: [WorkloadEndpoint]
  /// The WorkloadEntries and Pods of the namespace that are its endpoints; nil where these are listed.
  package var workloadSelector: LabelSelector?
  package var exportTo: [String]
  package var subjectAltNames: [String]

  package init(
    meta: ObjectMeta, hosts: [String], addresses: [String] = [], ports: [Port],
    isMeshInternal: Bool = false, resolution: Service.Resolution,
    endpoints: [WorkloadEndpoint] = [], workloadSelector: LabelSelector? = nil,
    exportTo: [String] = [], subjectAltNames: [String] = []
  ) {
    self.meta = meta
    self.hosts = hosts
    self.addresses = addresses
    self.ports = ports
    self.isMeshInternal = isMeshInternal
    self.resolution = resolution
    self.endpoints = endpoints
    self.workloadSelector = workloadSelector
    self.exportTo = exportTo
    self.subjectAltNames = subjectAltNames
  }
}
