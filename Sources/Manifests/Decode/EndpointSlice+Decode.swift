// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension EndpointSlice {
  private static let schema = Schema(
    fields: ["apiVersion", "kind", "metadata", "addressType", "endpoints", "ports"])
  private static let endpointSchema = Schema(
    fields: ["addresses", "conditions", "zone", "targetRef"],
    ignored: ["hostname", "nodeName", "deprecatedTopology", "hints"])
  private static let conditionsSchema = Schema(fields: ["ready", "serving", "terminating"])
  /// What ties a slice to its Service.
  private static let serviceLabel = "kubernetes.io/service-name"

  private enum AddressType: String, CaseIterable {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"
    case fqdn = "FQDN"
  }

  /// Reads the whole object, which has no spec
  /// (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/).
  static func decode(_ root: Node, _ meta: ObjectMeta, _ problems: Problems) -> EndpointSlice? {
    guard let fields = Fields(root, schema, problems) else { return nil }
    let type = fields.required("addressType") { (node) throws(ConfigError) in
      try node.enumeration(AddressType.self)
    }
    let service = meta.labels[serviceLabel] ?? ""
    if service.isEmpty {
      problems.warning(
        .required, at: FieldPath("metadata", "labels")[serviceLabel],
        "is missing, so the slice belongs to no Service")
    }
    let addresses = fields.each("endpoints") { endpoint($0, type, problems) }.flatMap(\.self)
    let ports = fields.each("ports") { port($0, problems) }
    return EndpointSlice(meta: meta, serviceName: service, ports: ports, addresses: addresses)
  }

  private static func endpoint(
    _ node: Node, _ type: AddressType?, _ problems: Problems
  ) -> [Address]? {
    guard let fields = Fields(node, endpointSchema, problems) else { return nil }
    // A condition that is not set counts as ready.
    let conditions = fields.object("conditions", conditionsSchema)
    let isReady = conditions.map { !$0.has("ready") || $0.bool("ready") } ?? true
    let zone = fields.string("zone")
    let pod = fields["targetRef"]?.podName ?? ""
    if !fields.has("addresses") {
      problems.error(.required, at: node.path["addresses"], "expected at least one address")
    }
    return fields.each("addresses") { node in
      problems.catching { () throws(ConfigError) in
        let address = try node.string()
        if type != .fqdn, !IPAddress.isAddress(address) { throw node.expected("an IP address") }
        return Address(ip: address, isReady: isReady, zone: zone, pod: pod)
      }
    }
  }

  fileprivate static let portSchema = Schema(
    fields: ["name", "port"], ignored: ["protocol", "appProtocol"])

  fileprivate static func port(_ node: Node, _ problems: Problems) -> Port? {
    guard let fields = Fields(node, portSchema, problems),
      let number = fields.required("port", { (node) throws(ConfigError) in try node.port() })
    else { return nil }
    return Port(name: fields.string("name"), number: number)
  }
}

extension Endpoints {
  private static let schema = Schema(fields: ["apiVersion", "kind", "metadata", "subsets"])
  private static let subsetSchema = Schema(fields: ["addresses", "notReadyAddresses", "ports"])
  private static let addressSchema = Schema(
    fields: ["ip", "targetRef"], ignored: ["hostname", "nodeName"])

  /// Reads the whole object, which has no spec.
  static func decode(_ root: Node, _ meta: ObjectMeta, _ problems: Problems) -> Endpoints? {
    guard let fields = Fields(root, schema, problems) else { return nil }
    let subsets = fields.each("subsets") { node -> Subset? in
      guard let subset = Fields(node, subsetSchema, problems) else { return nil }
      func addresses(_ name: String, isReady: Bool) -> [EndpointSlice.Address] {
        subset.each(name) { node in
          let address = Fields(node, addressSchema, problems)
          let ip = address?.required("ip") {
            (node) throws(ConfigError) in
            let ip = try node.string()
            guard IPAddress.isAddress(ip) else { throw node.expected("an IP address") }
            return ip
          }
          let pod = address?["targetRef"]?.podName ?? ""
          return ip.map { EndpointSlice.Address(ip: $0, isReady: isReady, pod: pod) }
        }
      }
      return Subset(
        ports: subset.each("ports") { EndpointSlice.port($0, problems) },
        addresses: addresses("addresses", isReady: true)
          + addresses("notReadyAddresses", isReady: false))
    }
    return Endpoints(meta: meta, subsets: subsets)
  }
}

extension Node {
  /// The name of the Pod that an object reference names; nil where it names something else.
  fileprivate var podName: String? {
    guard case .string("Pod")? = self["kind"]?.value.content,
      case .string(let name)? = self["name"]?.value.content
    else { return nil }
    return name
  }
}
