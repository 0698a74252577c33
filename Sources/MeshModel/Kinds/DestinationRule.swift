// SPDX-License-Identifier: Apache-2.0

/// A `networking.istio.io` DestinationRule: how clients talk to the endpoints of a host, and the named
/// subsets of these endpoints.
package struct DestinationRule: ConfigObject {
  package static let kind = ObjectKind.destinationRule

  /// The endpoints with some labels, as a destination of their own.
  package struct Subset: Hashable, Sendable {
    /// The position in `spec.subsets`.
    package var index: Int
    package var name: String
    /// Empty selects every endpoint.
    package var labels: LabelSelector
    /// Overrides the policy of the rule, field by field of its first level.
    package var trafficPolicy: TrafficPolicy?

    package init(
      index: Int, name: String, labels: LabelSelector, trafficPolicy: TrafficPolicy? = nil
    ) {
      self.index = index
      self.name = name
      self.labels = labels
      self.trafficPolicy = trafficPolicy
    }

    /// `spec.subsets[index]`.
    package var path: FieldPath { FieldPath("spec", "subsets")[index] }
  }

  package var meta: ObjectMeta
  /// As written: a full or a short name, or a wildcard.
  package var host: String
  /// Empty exports to all namespaces.
  package var exportTo: [String]
  /// The workloads whose proxies use the rule, in its own namespace; nil for all.
  package var workloadSelector: LabelSelector?
  package var trafficPolicy: TrafficPolicy?
  package var subsets: [Subset]

  package init(
    meta: ObjectMeta, host: String, exportTo: [String] = [],
    workloadSelector: LabelSelector? = nil, trafficPolicy: TrafficPolicy? = nil,
    subsets: [Subset] = []
  ) {
    self.meta = meta
    self.host = host
    self.exportTo = exportTo
    self.workloadSelector = workloadSelector
    self.trafficPolicy = trafficPolicy
    self.subsets = subsets
  }
}
