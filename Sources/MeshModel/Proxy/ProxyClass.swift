// SPDX-License-Identifier: Apache-2.0

/// Everything about a proxy that translation may look at, and nothing else.
///
/// Two proxies of one class get the same resources, so this value is the key of the translation
/// cache by construction: an input that is missing here cannot reach translation. Labels and metadata
/// are cut down to the keys that some object selects on.
package struct ProxyClass: Hashable, Sendable {
  /// A port of a service that the proxy's workload backs.
  package struct ServiceInstance: Hashable, Sendable, Comparable {
    package var hostname: String
    /// The namespace of the service.
    package var namespace: String
    package var servicePort: UInt16
    package var targetPort: UInt16
    package var portProtocol: ServiceProtocol

    package init(
      hostname: String, namespace: String, servicePort: UInt16, targetPort: UInt16,
      portProtocol: ServiceProtocol
    ) {
      self.hostname = hostname
      self.namespace = namespace
      self.servicePort = servicePort
      self.targetPort = targetPort
      self.portProtocol = portProtocol
    }

    package static func < (left: Self, right: Self) -> Bool {
      (left.hostname, left.namespace, left.servicePort, left.targetPort)
        < (right.hostname, right.namespace, right.servicePort, right.targetPort)
    }
  }

  package var role: Proxy.Role
  package var namespace: String
  package var dnsDomain: String
  package var labels: [String: String]
  package var metadata: [String: String]
  /// `region/zone/subzone`; empty also where no object looks at localities.
  package var locality: String
  /// Of a gateway that was told it when it was started; the mesh's default counts otherwise.
  package var gatewayTopology: GatewayTopology?
  /// Nil also where no object matches on the version.
  package var istioVersion: String?
  /// Sorted.
  package var instances: [ServiceInstance]

  /// Whether the proxy may be given Wasm plugins.
  package var runsWasm: Bool { metadata[Proxy.wasmSwitch] != "false" }

  package init(
    role: Proxy.Role, namespace: String, dnsDomain: String = "", labels: [String: String] = [:],
    metadata: [String: String] = [:], locality: String = "",
    gatewayTopology: GatewayTopology? = nil, istioVersion: String? = nil,
    instances: [ServiceInstance] = []
  ) {
    self.role = role
    self.namespace = namespace
    self.dnsDomain = dnsDomain
    self.labels = labels
    self.metadata = metadata
    self.locality = locality
    self.gatewayTopology = gatewayTopology
    self.istioVersion = istioVersion
    self.instances = instances.sorted()
  }
}
