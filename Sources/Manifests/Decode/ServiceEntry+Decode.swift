// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension ServiceEntry {
  private static let schema = Schema(
    fields: [
      "hosts", "addresses", "ports", "location", "resolution", "endpoints", "exportTo",
      "subjectAltNames", "workloadSelector",
    ])

  private enum Location: String, CaseIterable {
    case external = "MESH_EXTERNAL"
    case inside = "MESH_INTERNAL"
  }

  /// Reads `spec` (https://istio.io/latest/docs/reference/config/networking/service-entry/).
  static func decode(_ spec: Node, _ meta: ObjectMeta, _ problems: Problems) -> ServiceEntry? {
    guard let fields = Fields(spec, schema, problems) else { return nil }
    let hosts = fields.each("hosts") { node in
      problems.catching { () throws(ConfigError) in
        let host = try node.string()
        if let fault = DNSName.hostFault(host) { throw node.invalid("\"\(host)\" \(fault)") }
        if host == "*" {
          throw node.invalid("\"*\" is too wide; name a domain, as in *.example.com")
        }
        return host
      }
    }
    if fields.isMissingOrEmpty("hosts") {
      problems.error(.required, at: fields.path["hosts"], "expected at least one host")
    }
    let addresses = fields.each("addresses") { node in
      problems.catching { () throws(ConfigError) in
        let address = try node.string()
        guard IPAddress.isAddressOrNetwork(address) else {
          throw node.expected("an IP address or a network as 10.0.0.0/8")
        }
        return address
      }
    }
    let location = fields.optional("location") { (node) throws(ConfigError) in
      try node.enumeration(Location.self)
    }
    let resolution = fields.optional("resolution") { (node) throws(ConfigError) in
      try node.enumeration(Service.Resolution.self)
    }
    if fields.has("resolution"), resolution == nil { return nil }
    var entry = ServiceEntry(
      meta: meta, hosts: hosts, addresses: addresses, ports: ports(fields),
      isMeshInternal: location == .inside, resolution: resolution ?? .none,
      endpoints: fields.each("endpoints") { WorkloadEndpoint.decode($0, problems) },
      exportTo: fields.exports(from: meta.namespace, mayHide: true))
    entry.subjectAltNames = fields.strings("subjectAltNames")
    entry.workloadSelector = fields["workloadSelector"].flatMap {
      LabelSelector.decode($0, field: "labels", problems)
    }
    entry.validate(fields)
    return entry
  }

  private static let portSchema = Schema(fields: ["number", "protocol", "name", "targetPort"])

  private static func ports(_ fields: Fields) -> [Port] {
    var (numbers, names): (Set<UInt16>, Set<String>) = ([], [])
    return fields.each("ports") { node -> Port? in
      guard let port = Fields(node, portSchema, fields.problems) else { return nil }
      let number = port.required("number") { (node) throws(ConfigError) in try node.port() }
      let name = port.required("name") { (node) throws(ConfigError) in try node.text() }
      let portProtocol = port.optional("protocol") { (node) throws(ConfigError) in
        let name = try node.string()
        if let known = ServiceProtocol(rawValue: name.uppercased()) { return known }
        return try node.enumeration(ServiceProtocol.self)
      }
      let target = port.optional("targetPort") { (node) throws(ConfigError) in try node.port() }
      guard let number, let name else { return nil }
      if !numbers.insert(number).inserted {
        fields.problems.error(
          .conflict, at: node.path["number"], "port \(number) is already listed")
      }
      if !names.insert(name).inserted {
        fields.problems.error(.conflict, at: node.path["name"], "\(name) is already used by a port")
      }
      return Port(
        number: number, name: name, portProtocol: portProtocol ?? .unspecified, targetPort: target)
    }
  }
}

extension ServiceEntry.WorkloadEndpoint {
  private static let schema = Schema(
    fields: ["address", "ports", "labels", "locality", "weight", "network"],
    ignored: ["serviceAccount"])

  static func decode(_ node: Node, _ problems: Problems) -> ServiceEntry.WorkloadEndpoint? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    let address = fields.required("address") { (node) throws(ConfigError) in try node.text() }
    guard let address else { return nil }
    var endpoint = ServiceEntry.WorkloadEndpoint(address: address)
    if let ports = fields["ports"] {
      if case .object(let members) = ports.value.content {
        for member in members {
          endpoint.ports[member.key] = problems.catching { () throws(ConfigError) in
            try Node(member.value, at: ports.path[member.key]).port()
          }
        }
      } else {
        problems.add(ports.expected("an object of port numbers by port name"))
      }
    }
    endpoint.labels =
      fields.optional("labels") { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
    endpoint.locality = fields.string("locality")
    endpoint.weight = fields.number("weight")
    if !fields.string("network").isEmpty {
      problems.warning(
        .unsupported, at: fields.path["network"],
        "gateways between networks are not acted on by this version; the address is called directly"
      )
    }
    return endpoint
  }
}
