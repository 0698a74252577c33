// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf

/// CLUSTER.
extension PatchEngine {
  mutating func patchClusters(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    let matcher = ClusterMatcher(patch)
    var changed: [(Int, ClusterDraft?)] = []
    for position in clusters.positions(for: step.keys(matcher.keys)) {
      var draft = clusters[position]
      let place = PatchTrace.Place([]).appending(.cluster, draft.name)
      var clauses = step.clauses()
      matcher.compare(draft, &clauses)
      guard step.admits(clauses, at: place) else { continue }
      if patch.isMerge {
        draft.message = try merge.merged(draft.message, by: patch)
        try checkName(draft.name, former: clusters[position].name, of: patch, in: &clusters)
        draft.origins.append(patch.origin)
      }
      changed.append((position, patch.isMerge ? draft : nil))
      step.changed(
        PatchTrace.Change(verb: patch.isMerge ? .merged : .removed, element: draft.name), clauses,
        at: place)
    }
    for (position, draft) in changed {
      if let draft {
        clusters.replace(draft, at: position)
      } else {
        clusters.remove(at: position)
      }
    }
  }

  mutating func addCluster(_ step: inout PatchStep) throws(ConfigError) {
    let patch = step.patch
    guard let (context, clauses) = contextToAdd(&step) else { return }
    let draft = ClusterDraft(added: patch.element(Envoy.Cluster.self), context, by: patch.origin)
    try checkName(draft.name, former: nil, of: patch, in: &clusters)
    clusters.append(draft)
    step.changed(
      PatchTrace.Change(verb: .added, element: draft.name), clauses,
      at: PatchTrace.Place([]).appending(.cluster, draft.name))
  }
}
