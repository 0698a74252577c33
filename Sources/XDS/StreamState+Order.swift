// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Make before break: nothing that traffic uses may name a cluster that Envoy has not or has no more.
///
/// See "Eventual consistency considerations" in the xDS protocol.
extension StreamState {
  // What names clusters: filters (by ECDS or in listeners) and routes.
  private static let clusterUsers = [
    TypeURL.extensionConfig.pushRank, TypeURL.listener.pushRank, TypeURL.route.pushRank,
  ]
  private static let clusters = TypeURL.cluster.pushRank
  private static let endpoints = TypeURL.endpoint.pushRank
  private static let listeners = TypeURL.listener.pushRank
  private static let routes = TypeURL.route.pushRank

  /// Whether an update must wait until Envoy has the clusters that it may name.
  ///
  /// Endpoints that warm a cluster count too. A first response never waits: no traffic depends on it
  /// yet, and a client need not ask for clusters at all.
  func mustWait(_ index: Int) -> Bool {
    let rank = watches[index].rank
    guard rank == Self.listeners || rank == Self.routes, watches[index].ledger.sent != nil else {
      return false
    }
    if let clusters = position(of: Self.clusters), watches[clusters].ledger.isUnanswered {
      return true
    }
    guard let endpoints = position(of: Self.endpoints),
      let unanswered = watches[endpoints].ledger.unanswered
    else { return false }
    return unanswered.warms || watches[endpoints].mustSendAgain
  }

  func offer(at index: Int, from snapshot: ResourceSnapshot) -> Offer? {
    let set = snapshot[watches[index].typeURL, rank: watches[index].rank]
    guard watches[index].rank == Self.clusters else { return watches[index].offer(of: set) }
    return watches[index].offer(of: set, keeping: keptClusters(index, in: snapshot))
  }

  /// Clusters that are gone from the snapshot but that Envoy may still send traffic to.
  ///
  /// They stay until everything that could name them is accepted in its newest form; a rejected
  /// listener goes on in its old form, and so do the clusters that it needs.
  private func keptClusters(_ index: Int, in snapshot: ResourceSnapshot) -> [EncodedResource] {
    guard let sent = watches[index].ledger.sent else { return [] }
    let set = snapshot[.cluster]
    let subscription = watches[index].subscription
    let gone =
      SetDifference(from: sent.set, to: set).gone.compactMap { sent[$0] }
      + sent.kept.filter { set[$0.name] == nil }
    if gone.isEmpty || areClustersFree(in: snapshot) { return [] }
    let refused = Set(watches[index].ledger.rejections.flatMap(\.resources))
    let kept: [EncodedResource] = gone.compactMap { resource in
      guard subscription.selects(resource.name) else { return nil }
      // Of what Envoy refused it goes on with the form that it accepted before, if any.
      return refused.contains(resource.name)
        ? watches[index].ledger.acked?[resource.name] : resource
    }
    return kept.sorted { $0.name < $1.name }
  }

  /// Whether the client has accepted the newest of everything that may name clusters.
  private func areClustersFree(in snapshot: ResourceSnapshot) -> Bool {
    Self.clusterUsers.allSatisfy { rank in
      guard let index = position(of: rank), !watches[index].subscription.isEmpty else {
        return true
      }
      return !watches[index].ledger.isUnanswered && watches[index].ledger.rejections.isEmpty
        && watches[index].offer(of: snapshot[watches[index].typeURL]) == nil
    }
  }
}
