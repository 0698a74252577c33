// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// The names of clusters, which are Istio's: dashboards and EnvoyFilters match on them.
enum ClusterName {
  /// Drops what is sent to it: a static cluster without endpoints.
  static let blackHole = "BlackHoleCluster"
  /// Sends to where the connection was going before it was redirected to the proxy.
  static let passthrough = "PassthroughCluster"
  static let inboundPassthrough = "InboundPassthroughCluster"

  static func outbound(port: UInt16, subset: String = "", host: String) -> String {
    "outbound|\(port)|\(subset)|\(host)"
  }

  /// For connections that another gateway or sidecar has encrypted for the service, and that are
  /// passed on as they are: Istio's form that can stand in a TLS greeting.
  static func passedOn(port: UInt16, subset: String = "", host: String) -> String {
    "outbound_.\(port)_.\(subset)_.\(host)"
  }

  static func inbound(port: UInt16) -> String { "inbound|\(port)||" }
}
