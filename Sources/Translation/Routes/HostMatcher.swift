// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The hosts of a gateway's server that VirtualServices of one namespace may use.
///
/// A server may name thousands of hosts; exact names are found without a walk over all of them.
struct HostMatcher {
  private let hosts: [String]
  private let exact: Set<String>
  private let wildcards: [String]

  init(_ server: GatewayPort.Server, for namespace: String) {
    hosts = server.server.hosts.filter { host in
      switch host.namespace {
      case .any: true
      case .none: false
      case .own: namespace == server.gateway.meta.namespace
      case .named(let name): namespace == name
      }
    }.map(\.dnsName)
    wildcards = hosts.filter { $0.hasPrefix("*") }
    exact = Set(hosts)
  }

  /// The names that both the server and the VirtualService stand for: of each pair, the narrower.
  func intersection(with others: [String]) -> [String] {
    guard !hosts.isEmpty else { return [] }
    var found: [String] = []
    var seen: Set<String> = []
    func add(_ host: String) {
      if seen.insert(host).inserted { found.append(host) }
    }
    for other in others {
      if exact.contains(other) || wildcards.contains(where: { Hostname.isSubset(other, of: $0) }) {
        add(other)
      }
      guard other.hasPrefix("*") else { continue }
      for host in hosts where Hostname.isSubset(host, of: other) { add(host) }
    }
    return found
  }
}
