// SPDX-License-Identifier: Apache-2.0

/// A core/v1 Service, as far as routing to it needs.
package struct KubernetesService: ConfigObject {
  package static let kind = ObjectKind.service

  package enum TargetPort: Hashable, Sendable {
    case number(UInt16)
    case name(String)
  }

  package struct Port: Hashable, Sendable {
    package var number: UInt16
    package var name: String
    package var portProtocol: ServiceProtocol
    package var targetPort: TargetPort
    package init(
      number: UInt16, name: String, portProtocol: ServiceProtocol, targetPort: TargetPort
    ) {
      self.number = number
      self.name = name
      self.portProtocol = portProtocol
      self.targetPort = targetPort
    }
  }

  package var meta: ObjectMeta
  /// Empty for `None` (headless) and ExternalName.
  package var clusterIP: String
  package var isHeadless: Bool
  /// The DNS name of a Service of type ExternalName.
  package var externalName: String?
  /// Nil where the Service has no selector and its endpoints are managed by hand.
  package var selector: LabelSelector?
  package var ports: [Port]

  package init(
    meta: ObjectMeta, clusterIP: String = "", isHeadless: Bool = false,
    externalName: String? = nil, selector: LabelSelector? = nil, ports: [Port]
  ) {
    self.meta = meta
    self.clusterIP = clusterIP
    self.isHeadless = isHeadless
    self.externalName = externalName
    self.selector = selector
    self.ports = ports
  }
}

/// A discovery.k8s.io EndpointSlice.
package struct EndpointSlice: ConfigObject {
  package static let kind = ObjectKind.endpointSlice

  package struct Port: Hashable, Sendable {
    package var name: String
    package var number: UInt16
    package init(name: String, number: UInt16) {
      self.name = name
      self.number = number
    }
  }

  package struct Address: Hashable, Sendable {
    package var ip: String
    package var isReady: Bool
    package var zone: String
    /// The name of the Pod behind it, of `targetRef`; empty where none is named.
    package var pod: String
    package init(ip: String, isReady: Bool = true, zone: String = "", pod: String = "") {
      self.ip = ip
      self.isReady = isReady
      self.zone = zone
      self.pod = pod
    }
  }

  package var meta: ObjectMeta
  /// The label `kubernetes.io/service-name`.
  package var serviceName: String
  package var ports: [Port]
  package var addresses: [Address]

  package init(meta: ObjectMeta, serviceName: String, ports: [Port], addresses: [Address]) {
    self.meta = meta
    self.serviceName = serviceName
    self.ports = ports
    self.addresses = addresses
  }
}

/// A core/v1 Endpoints object, the older form of EndpointSlice; it bears the name of its Service.
package struct Endpoints: ConfigObject {
  package static let kind = ObjectKind.endpoints

  package struct Subset: Hashable, Sendable {
    package var ports: [EndpointSlice.Port]
    package var addresses: [EndpointSlice.Address]
    package init(ports: [EndpointSlice.Port], addresses: [EndpointSlice.Address]) {
      self.ports = ports
      self.addresses = addresses
    }
  }

  package var meta: ObjectMeta
  package var subsets: [Subset]

  package init(meta: ObjectMeta, subsets: [Subset]) {
    self.meta = meta
    self.subsets = subsets
  }
}
