// SPDX-License-Identifier: Apache-2.0

import MeshModel

extension ServiceEntry {
  /// What the resolution asks of hosts and endpoints, as Istio's admission has it.
  func validate(_ fields: Fields) {
    let problems = fields.problems
    let endpointsPath = fields.path["endpoints"]
    if !fields.has("ports") {
      problems.error(.required, at: fields.path["ports"], "expected at least one port")
    }
    if workloadSelector != nil, !endpoints.isEmpty {
      problems.error(
        .conflict, at: endpointsPath, "may not stand beside workloadSelector; use one of them")
    }
    if workloadSelector != nil, resolution == .none || resolution == .dynamicDNS {
      problems.warning(
        .invalid, at: fields.path["workloadSelector"],
        "has no effect with resolution \(resolution.rawValue); use STATIC or DNS")
    }
    if addresses.isEmpty, hosts.count > 1,
      ports.contains(where: {
        !$0.portProtocol.isHTTP && ![.tls, .https].contains($0.portProtocol)
      })
    {
      problems.warning(
        .required, at: fields.path["addresses"],
        "without addresses, TCP traffic to the hosts cannot be told apart")
    }
    let hasWildcard = hosts.contains { $0.hasPrefix("*") }
    switch resolution {
    case .none:
      if !endpoints.isEmpty {
        problems.error(
          at: endpointsPath, "may not be set with resolution NONE; use STATIC or DNS")
      }
    case .static:
      for (index, endpoint) in endpoints.enumerated()
      where !endpoint.address.hasPrefix("unix://") && !IPAddress.isAddress(endpoint.address) {
        problems.error(
          at: endpointsPath[index]["address"],
          "expected an IP address with resolution STATIC, found \"\(endpoint.address)\"; use DNS")
      }
      if endpoints.isEmpty, workloadSelector == nil {
        problems.warning(
          .required, at: endpointsPath, "has no endpoints, so requests are answered with 503")
      }
    case .dynamicDNS:
      if !endpoints.isEmpty {
        problems.error(
          at: endpointsPath, "may not be set with resolution DYNAMIC_DNS, which looks up the host")
      }
      for (index, host) in hosts.enumerated() where !host.hasPrefix("*.") {
        problems.error(
          at: fields.path["hosts"][index],
          "expected a wildcard host with resolution DYNAMIC_DNS; use DNS for a single name")
      }
      for (index, port) in ports.enumerated()
      where !port.portProtocol.isHTTP && port.portProtocol != .unspecified {
        problems.warning(
          .unsupported, at: fields.path["ports"][index]["protocol"],
          "\(port.portProtocol.rawValue) says no host name that DYNAMIC_DNS could look up here; "
            + "only HTTP does")
      }
    case .dns, .dnsRoundRobin:
      if workloadSelector == nil, endpoints.isEmpty, hasWildcard {
        problems.error(
          .required, at: endpointsPath,
          "is required with resolution \(resolution.rawValue) for a wildcard host")
      }
      for (index, endpoint) in endpoints.enumerated() where !IPAddress.isAddress(endpoint.address) {
        if let fault = DNSName.hostFault(endpoint.address, wildcard: false) {
          problems.error(
            at: endpointsPath[index]["address"], "\"\(endpoint.address)\" \(fault)")
        }
      }
      if resolution == .dnsRoundRobin, endpoints.count > 1 {
        problems.error(
          at: endpointsPath[1], "expected at most one endpoint with resolution DNS_ROUND_ROBIN")
      }
    }
    let names = Set(ports.map(\.name))
    for (index, endpoint) in endpoints.enumerated() {
      for name in endpoint.ports.keys.sorted() where !names.contains(name) {
        problems.error(
          .notFound, at: endpointsPath[index]["ports"][name],
          "the ServiceEntry has no port of this name\(NearestName.hint(for: name, among: names))")
      }
    }
  }
}
