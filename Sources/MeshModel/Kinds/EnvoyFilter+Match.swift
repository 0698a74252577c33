// SPDX-License-Identifier: Apache-2.0

/// What the match of a patch asks of a listener, a route configuration or a cluster
/// (EnvoyFilter reference, "EnvoyConfigObjectMatch"); an empty or zero field asks nothing.
extension EnvoyFilter {
  /// Conditions on a listener.
  package struct ListenerMatch: Hashable, Sendable {
    package struct FilterChainMatch: Hashable, Sendable {
      package var name = ""
      package var sni = ""
      package var transportProtocol = ""
      /// Comma-separated; each must be in the chain's list.
      package var applicationProtocols = ""
      package var destinationPort: UInt32 = 0
      package var filter: FilterMatch?
      package init() {}
    }
    package struct FilterMatch: Hashable, Sendable {
      package var name: String
      /// The name of an HTTP filter inside an HTTP connection manager; nil where none is asked for.
      package var subFilter: String?
      package init(name: String, subFilter: String? = nil) {
        self.name = name
        self.subFilter = subFilter
      }
    }
    package var portNumber: UInt32 = 0
    package var portName = ""
    package var name = ""
    package var listenerFilter = ""
    package var filterChain: FilterChainMatch?
    package init() {}
  }

  /// Conditions on a route configuration.
  package struct RouteConfigurationMatch: Hashable, Sendable {
    package struct VirtualHostMatch: Hashable, Sendable {
      package var name = ""
      /// One of the virtual host's domains.
      package var domainName = ""
      package var route: RouteMatch?
      package init() {}
    }

    package enum RouteAction: String, Hashable, Sendable, CaseIterable {
      case any = "ANY"
      case route = "ROUTE"
      case redirect = "REDIRECT"
      case directResponse = "DIRECT_RESPONSE"
    }

    package struct RouteMatch: Hashable, Sendable {
      package var name = ""
      package var action = RouteAction.any
      package init() {}
    }

    package var portNumber: UInt32 = 0
    /// The name of the port of an HTTPS server of a Gateway.
    package var portName = ""
    /// `namespace/name` of a Gateway with an HTTPS server.
    package var gateway = ""
    package var virtualHost: VirtualHostMatch?
    package var name = ""
    package init() {}
  }

  /// Conditions on a cluster.
  package struct ClusterMatch: Hashable, Sendable {
    package var portNumber: UInt32 = 0
    /// The fully qualified host name of a service.
    package var service = ""
    package var subset = ""
    /// Where it is set, it alone counts.
    package var name = ""
    package init() {}
  }
}
