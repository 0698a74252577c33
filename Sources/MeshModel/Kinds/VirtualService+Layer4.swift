// SPDX-License-Identifier: Apache-2.0

extension VirtualService {
  /// What selects connections that are not looked into: Istio's TLSMatchAttributes and
  /// L4MatchAttributes.
  package struct ConnectionMatch: Hashable, Sendable {
    /// Of `tls` only, where there is at least one.
    package var sniHosts: [String] = []
    /// IP addresses or CIDR ranges.
    package var destinationSubnets: [String] = []
    /// The port that the connection came in on.
    package var port: UInt32?
    /// Labels of the client's workload: for sidecars.
    package var sourceLabels: [String: String] = [:]
    package var sourceNamespace = ""
    /// Empty stands for the gateways of the VirtualService.
    package var gateways: [String] = []
    package init() {}
  }

  /// An entry of `tls` or `tcp`: connections that are forwarded as they are.
  package struct ConnectionRoute: Hashable, Sendable {
    /// `spec.tls[index]` or `spec.tcp[index]`.
    package var path: FieldPath
    /// Any of these; empty matches every connection, which only `tcp` may.
    package var matches: [ConnectionMatch]
    package var destinations: [WeightedDestination]

    package init(
      path: FieldPath, matches: [ConnectionMatch] = [], destinations: [WeightedDestination]
    ) {
      self.path = path
      self.matches = matches
      self.destinations = destinations
    }
  }
}
