// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension VirtualService.ConnectionRoute {
  private static let schema = Schema(fields: ["match", "route"])

  /// Reads one entry of `tls` or `tcp`; nil also where it can never apply.
  ///
  /// `hosts` and `gateways` are those of the VirtualService; SNI hosts of `tls` must be among the
  /// hosts, which are nil for `tcp`.
  static func decode(
    _ node: Node, sniWithin hosts: [String]?, gateways: [String], _ problems: Problems
  ) -> VirtualService.ConnectionRoute? {
    guard let fields = Fields(node, schema, problems) else { return nil }
    if hosts != nil, fields.isMissingOrEmpty("match") {
      problems.error(.required, at: fields.path["match"], "expected at least one match")
    }
    let matches = fields.each("match") {
      VirtualService.ConnectionMatch.decode(
        $0, sniWithin: hosts, gateways: gateways, problems)
    }
    let destinations = fields.each("route") { node -> VirtualService.WeightedDestination? in
      let destination = VirtualService.WeightedDestination.decode(node, problems)
      if let headers = node["headers"] {
        problems.error(at: headers.path, "may not be set: the connection is not looked into")
      }
      return destination
    }
    let count = fields.count("route")
    if fields.isMissingOrEmpty("route") {
      problems.error(.required, at: fields.path["route"], "expected at least one destination")
    } else if destinations.count > 1, destinations.count == count,
      destinations.allSatisfy({ $0.weight == 0 })
    {
      problems.error(
        at: fields.path["route"], "the weights add up to 0; give one a weight above 0")
    }
    if matches.isEmpty, fields.count("match") > 0 { return nil }
    return Self(path: node.path, matches: matches, destinations: destinations)
  }
}

extension VirtualService.ConnectionMatch {
  private static let fields = [
    "destinationSubnets", "port", "sourceLabels", "gateways", "sourceNamespace",
  ]
  private static let tls = Schema(fields: fields + ["sniHosts"])
  private static let tcp = Schema(fields: fields, unsupported: ["sourceSubnet"])

  static func decode(
    _ node: Node, sniWithin hosts: [String]?, gateways: [String], _ problems: Problems
  ) -> VirtualService.ConnectionMatch? {
    guard let fields = Fields(node, hosts == nil ? tcp : tls, problems) else { return nil }
    var match = VirtualService.ConnectionMatch()
    if let hosts {
      if fields.isMissingOrEmpty("sniHosts") {
        problems.error(.required, at: fields.path["sniHosts"], "expected at least one host")
      }
      match.sniHosts = fields.each("sniHosts") { Self.sniHost($0, within: hosts, problems) }
    }
    match.destinationSubnets = fields.each("destinationSubnets") { node in
      problems.catching { () throws(ConfigError) in
        let subnet = try node.string()
        guard IPAddress.isAddressOrNetwork(subnet) else {
          throw node.expected("an IP address or a network such as 10.0.0.0/8")
        }
        return subnet
      }
    }
    match.port = fields.optional("port") { (node) throws(ConfigError) in
      UInt32(try node.port())
    }
    match.sourceLabels =
      fields.optional("sourceLabels") { (node) throws(ConfigError) in try node.stringMap() } ?? [:]
    match.sourceNamespace = fields.string("sourceNamespace")
    match.gateways = fields.strings("gateways")
    // As in Istio; the same VirtualService may be for sidecars, where these count.
    if (match.gateways.isEmpty ? gateways : match.gateways).contains(where: { $0 != "mesh" }) {
      for name in ["destinationSubnets", "sourceLabels", "sourceNamespace"]
      where fields.isFilled(name) {
        problems.warning(
          .unsupported, at: fields.path[name], "has no effect at gateways, only for sidecars")
      }
    }
    return match
  }

  private static func sniHost(
    _ node: Node, within hosts: [String], _ problems: Problems
  ) -> String? {
    problems.catching { () throws(ConfigError) in
      let host = try node.string()
      if let fault = DNSName.hostFault(host) { throw node.invalid("\"\(host)\" \(fault)") }
      guard hosts.contains(where: { Hostname.isSubset(host, of: $0) }) else {
        throw node.invalid(
          "\(host) is not among the hosts of the VirtualService (\(hosts.joined(separator: ", ")))")
      }
      return host
    }
  }
}
