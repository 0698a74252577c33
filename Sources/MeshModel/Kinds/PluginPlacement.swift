// SPDX-License-Identifier: Apache-2.0

/// Which workloads a plugin is for, and where it stands in their filter chains.
package struct PluginPlacement: Hashable, Sendable {
  /// Where in the chain, relative to Istio's own filters; the raw value is the enum's name.
  package enum Phase: String, Hashable, Sendable, CaseIterable {
    case authn = "AUTHN"
    case authz = "AUTHZ"
    case stats = "STATS"
    case unspecified = "UNSPECIFIED_PHASE"
  }

  /// The traffic that a plugin acts on: its direction and its ports.
  package struct TrafficSelector: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
      case undefined = "UNDEFINED"
      case client = "CLIENT"
      case server = "SERVER"
      case clientAndServer = "CLIENT_AND_SERVER"
    }
    package var mode: Mode
    /// Empty matches every port.
    package var ports: [UInt16]

    package init(mode: Mode = .undefined, ports: [UInt16] = []) {
      self.mode = mode
      self.ports = ports
    }
  }

  /// Nil selects every workload of the namespace, or of the mesh in the root namespace.
  package var selector: LabelSelector?
  package var targetRefs: [PolicyTargetReference] = []
  package var phase: Phase = .unspecified
  /// Higher runs first; nil comes after every number, as in Istio.
  package var priority: Int32?
  /// Any of these; empty matches all traffic.
  package var match: [TrafficSelector] = []

  package init() {}
}
