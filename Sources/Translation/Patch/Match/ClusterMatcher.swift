// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Whether a patch is meant for a cluster: `match.cluster` of EnvoyFilter, as Istio reads it.
struct ClusterMatcher {
  let context: EnvoyFilter.Context
  let match: EnvoyFilter.ClusterMatch?
  private let matchPath: FieldPath

  init(_ patch: DecodedPatch) {
    context = patch.patch.context
    match = if case .cluster(let match) = patch.patch.match { match } else { nil }
    matchPath = patch.matchPath
  }

  /// Where to look for clusters that may match; nil for all.
  var keys: [DraftKey]? {
    guard let match else { return nil }
    if !match.name.isEmpty { return [.name(match.name)] }
    if !match.service.isEmpty { return [.service(match.service)] }
    return match.portNumber == 0 ? nil : [.port(match.portNumber)]
  }

  func compare(_ cluster: ClusterDraft, _ clauses: inout Clauses) {
    if context != .any {
      clauses.require(
        matchPath["context"], wanted: context.rawValue, found: cluster.context.rawValue,
        context == cluster.context)
    }
    guard let match else { return }
    let path = matchPath["cluster"]
    guard match.name.isEmpty else {
      clauses.require(path["name"], match.name, among: [cluster.name], match.name == cluster.name)
      return
    }
    if !match.subset.isEmpty {
      clauses.require(
        path["subset"], match.subset, among: [cluster.subset], match.subset == cluster.subset)
    }
    if !match.service.isEmpty {
      clauses.require(
        path["service"], match.service, among: cluster.services,
        cluster.services.contains(match.service))
    }
    if match.portNumber != 0 {
      clauses.require(
        path["portNumber"], wanted: "\(match.portNumber)",
        found: cluster.port.map { "\($0)" } ?? "", cluster.port == match.portNumber)
    }
  }
}
