// SPDX-License-Identifier: Apache-2.0

package import JSON

/// A `networking.istio.io/v1alpha3` EnvoyFilter: patches to what translation builds.
package struct EnvoyFilter: ConfigObject {
  package static let kind = ObjectKind.envoyFilter

  package enum ApplyTo: String, Hashable, Sendable, CaseIterable {
    case listener = "LISTENER"
    case filterChain = "FILTER_CHAIN"
    case networkFilter = "NETWORK_FILTER"
    case httpFilter = "HTTP_FILTER"
    case routeConfiguration = "ROUTE_CONFIGURATION"
    case virtualHost = "VIRTUAL_HOST"
    case httpRoute = "HTTP_ROUTE"
    case cluster = "CLUSTER"
    case extensionConfig = "EXTENSION_CONFIG"
    case bootstrap = "BOOTSTRAP"
    case listenerFilter = "LISTENER_FILTER"
  }

  package enum Context: String, Hashable, Sendable, CaseIterable {
    case any = "ANY"
    case sidecarInbound = "SIDECAR_INBOUND"
    case sidecarOutbound = "SIDECAR_OUTBOUND"
    case gateway = "GATEWAY"
    case waypoint = "WAYPOINT"
  }

  package enum Operation: String, Hashable, Sendable, CaseIterable {
    case merge = "MERGE"
    case add = "ADD"
    case remove = "REMOVE"
    case insertBefore = "INSERT_BEFORE"
    case insertAfter = "INSERT_AFTER"
    case insertFirst = "INSERT_FIRST"
    case replace = "REPLACE"
    case mergeAndReplaceList = "MERGE_AND_REPLACE_LIST"
  }

  package enum FilterClass: String, Hashable, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED"
    case authn = "AUTHN"
    case authz = "AUTHZ"
    case stats = "STATS"
  }

  package struct ProxyMatch: Hashable, Sendable {
    /// An RE2 expression searched in the proxy's ISTIO_VERSION; empty matches all.
    package var proxyVersion: String
    package var metadata: [String: String]

    package init(proxyVersion: String = "", metadata: [String: String] = [:]) {
      self.proxyVersion = proxyVersion
      self.metadata = metadata
    }
  }

  package enum ObjectMatch: Hashable, Sendable {
    case none
    case listener(ListenerMatch)
    case routeConfiguration(RouteConfigurationMatch)
    case cluster(ClusterMatch)
    /// Kept as it was written: there are no waypoints.
    case waypoint(JSONValue)
  }

  /// One entry of `spec.configPatches`.
  package struct ConfigPatch: Hashable, Sendable {
    /// The position in `spec.configPatches`; patches that could not be decoded leave a gap.
    package var index: Int
    package var applyTo: ApplyTo
    package var context: Context
    package var proxy: ProxyMatch
    package var match: ObjectMatch
    package var operation: Operation
    package var filterClass: FilterClass
    /// An object; nil where the operation needs none.
    package var value: JSONValue?

    package init(
      index: Int, applyTo: ApplyTo, context: Context = .any, proxy: ProxyMatch = ProxyMatch(),
      match: ObjectMatch = .none, operation: Operation, filterClass: FilterClass = .unspecified,
      value: JSONValue?
    ) {
      self.index = index
      self.applyTo = applyTo
      self.context = context
      self.proxy = proxy
      self.match = match
      self.operation = operation
      self.filterClass = filterClass
      self.value = value
    }

    /// `spec.configPatches[index]`.
    package var path: FieldPath { FieldPath("spec", "configPatches")[index] }
  }

  /// How the patches of an object follow those of others.
  package enum Order: String, Hashable, Sendable, CaseIterable {
    /// Istio's: by applyTo, over all neighbouring objects of this order at once.
    case passes
    /// This object after those before it, its patches one after another.
    case strict
  }

  /// What a MERGE does with what its value sets to zero.
  package enum Presence: String, Hashable, Sendable, CaseIterable {
    /// Istio's and protobuf's: a zero cannot be told from what is not there.
    case proto
    /// As written: `false`, `0`, `""`, `[]` and `null` overwrite.
    case explicit
  }

  package var meta: ObjectMeta
  package var workloadSelector: LabelSelector?
  package var targetRefs: [PolicyTargetReference]
  /// Lower is applied first.
  package var priority: Int32
  /// Annotation `skiff.dev/order`.
  package var order: Order
  /// Annotation `skiff.dev/presence`.
  package var presence: Presence
  package var configPatches: [ConfigPatch]

  package init(
    meta: ObjectMeta, workloadSelector: LabelSelector? = nil,
    targetRefs: [PolicyTargetReference] = [], priority: Int32 = 0, order: Order = .passes,
    presence: Presence = .proto, configPatches: [ConfigPatch]
  ) {
    self.meta = meta
    self.workloadSelector = workloadSelector
    self.targetRefs = targetRefs
    self.priority = priority
    self.order = order
    self.presence = presence
    self.configPatches = configPatches
  }
}
