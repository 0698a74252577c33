// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension KubernetesService {
  private static let schema = Schema(
    fields: ["ports", "selector", "clusterIP", "type", "externalName"],
    ignored: [
      "clusterIPs", "externalIPs", "sessionAffinity", "sessionAffinityConfig", "loadBalancerIP",
      "loadBalancerSourceRanges", "loadBalancerClass", "externalTrafficPolicy",
      "internalTrafficPolicy", "healthCheckNodePort", "publishNotReadyAddresses", "ipFamilies",
      "ipFamilyPolicy", "allocateLoadBalancerNodePorts", "trafficDistribution",
    ])

  private enum ServiceType: String, CaseIterable {
    case clusterIP = "ClusterIP"
    case nodePort = "NodePort"
    case loadBalancer = "LoadBalancer"
    case externalName = "ExternalName"
  }

  /// Reads `spec` (https://kubernetes.io/docs/concepts/services-networking/service/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> KubernetesService? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let type =
      fields.optional("type") { (node) throws(ConfigError) in
        try node.enumeration(ServiceType.self)
      } ?? .clusterIP
    var service = KubernetesService(meta: meta, ports: ports(fields))
    let clusterIP = fields.string("clusterIP")
    service.isHeadless = clusterIP == "None"
    if type == .externalName {
      service.externalName = fields.required("externalName") { (node) throws(ConfigError) in
        let name = try node.string()
        if !IPAddress.isAddress(name), let fault = DNSName.hostFault(name, wildcard: false) {
          throw node.invalid("\"\(name)\" \(fault)")
        }
        return name
      }
    } else {
      if !service.isHeadless, !clusterIP.isEmpty {
        if IPAddress.isAddress(clusterIP) {
          service.clusterIP = clusterIP
        } else {
          problems.error(
            at: fields.path["clusterIP"], "expected an IP address or None, found \"\(clusterIP)\"")
        }
      }
      let labels = fields.optional("selector") { (node) throws(ConfigError) in
        try node.stringMap()
      }
      // An empty selector selects nothing for Kubernetes: its endpoints are managed by hand.
      service.selector = labels.flatMap { $0.isEmpty ? nil : LabelSelector(matchLabels: $0) }
    }
    return service
  }

  private static let portSchema = Schema(
    fields: ["name", "protocol", "appProtocol", "port", "targetPort"], ignored: ["nodePort"])

  private static func ports(_ fields: Fields) -> [Port] {
    let count = fields.count("ports")
    var names: Set<String> = []
    return fields.each("ports") { node -> Port? in
      guard let port = Fields(node, portSchema, fields.problems) else { return nil }
      let number = port.required("port") { (node) throws(ConfigError) in try node.port() }
      let name = port.string("name")
      if name.isEmpty, count > 1 {
        fields.problems.error(
          .required, at: node.path["name"], "is required where a Service has several ports")
      } else if !names.insert(name).inserted {
        fields.problems.error(.conflict, at: node.path["name"], "\(name) is already used by a port")
      }
      let target = port.optional("targetPort") { (node) throws(ConfigError) -> TargetPort in
        if case .string(let name) = node.value.content, UInt16(name) == nil {
          return .name(try node.text())
        }
        return .number(try node.port())
      }
      guard let number else { return nil }
      return Port(
        number: number, name: name,
        portProtocol: ServiceProtocol(
          transport: port.string("protocol"), applicationProtocol: port.string("appProtocol"),
          portName: name),
        targetPort: target ?? .number(number))
    }
  }
}

extension ServiceProtocol {
  /// The protocol of a Kubernetes port: `appProtocol`, else the first word of the port's name
  /// (`http-admin`), as Istio selects it.
  init(transport: String, applicationProtocol: String, portName: String) {
    guard transport.isEmpty || transport == "TCP" else {
      self = transport == "UDP" ? .udp : .unspecified
      return
    }
    switch applicationProtocol.lowercased() {
    case "": self = Self(named: portName)
    case "kubernetes.io/h2c": self = .http2
    case "kubernetes.io/ws": self = .http
    case "kubernetes.io/wss": self = .https
    case let name: self = Self(rawValue: name.uppercased()) ?? Self(named: portName)
    }
  }

  private init(named portName: String) {
    let name = portName.uppercased()
    if name == "GRPC-WEB" || name.hasPrefix("GRPC-WEB-") {
      self = .grpcWeb
    } else {
      let word = name.prefix { $0 != "-" }
      self = Self(rawValue: String(word)) ?? .unspecified
    }
  }
}
