// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// How far a client has come with some resources.
package enum Progress: Hashable, Sendable {
  /// It has accepted all of them in their newest form.
  case programmed
  /// It has not been sent these, or has not answered.
  case pending([ResourceKey])
  /// It refuses some.
  case rejected(Rejection)
}

extension StreamState {
  /// Compares what the client has accepted with what it should have.
  ///
  /// What is refused for another object's sake does not count against one that the client runs as it
  /// should be, in the resource's former form.
  ///
  /// - Parameters:
  ///   - object: whose rollout it is.
  ///   - keys: the resources of `newest` that count.
  ///   - newest: what the client should have now; it may not have been pushed yet.
  ///   - leftovers: resources that the client still has and that count, though in `newest` they are
  ///     others or none: what an edit took away must be gone too.
  /// - Returns: nil where the client neither asks for any of them nor has anything that counts.
  package func progress(
    of object: ObjectRef, on keys: [ResourceKey], in newest: ResourceSnapshot,
    leftovers: [ResourceKey]
  ) -> Progress? {
    var pending: [ResourceKey] = []
    var unaffected: [ResourceKey] = []
    var counts = !leftovers.isEmpty
    for watch in watches {
      let (set, ledger) = (newest[watch.typeURL, rank: watch.rank], watch.ledger)
      for key in keys where key.typeURL == watch.typeURL && watch.subscription.selects(key.name) {
        counts = true
        let wanted = set[key.name]
        if let rejection = ledger.rejection(of: key.name, in: wanted?.version) {
          if rejection.blames(object) { return .rejected(rejection) }
          if let wanted, ledger.acked?[key.name]?.owes(object, asMuchAs: wanted) ?? false {
            unaffected.append(key)
            continue
          }
        }
        if ledger.accepted(key.name)?.version != wanted?.version { pending.append(key) }
      }
    }
    for key in leftovers where !pending.contains(key) && !unaffected.contains(key) {
      pending.append(key)
    }
    for key in keys where mayYetAsk(for: key, of: newest) {
      counts = true
      pending.append(key)
    }
    guard counts else { return nil }
    return pending.isEmpty ? .programmed : .pending(pending)
  }

  /// What the client has accepted that is otherwise in a snapshot, or not there.
  package func leftovers(
    against newest: ResourceSnapshot
  ) -> [(key: ResourceKey, resource: EncodedResource)] {
    watches.flatMap { watch in
      watch.ledger.leftovers(against: newest[watch.typeURL, rank: watch.rank]).map {
        (ResourceKey(typeURL: watch.typeURL, name: $0.name), $0)
      }
    }
  }

  /// Whether a resource that the client does not ask for is named, perhaps, by something that it has not
  /// settled: it asks for routes once it has the listeners.
  private func mayYetAsk(for key: ResourceKey, of newest: ResourceSnapshot) -> Bool {
    let isAsked = watches.contains {
      $0.typeURL == key.typeURL && $0.subscription.selects(key.name)
    }
    guard !isAsked else { return false }
    return key.typeURL.referringTypes.contains { type in
      guard let index = position(of: type.pushRank), watches[index].subscription.isWildcard else {
        return false
      }
      let ledger = watches[index].ledger
      return ledger.isUnanswered
        || ledger.sent?.set.version != newest[type, rank: type.pushRank].version
    }
  }
}

extension AckLedger {
  /// What the client is known to run under a name.
  ///
  /// Of a refused full-state response Envoy has applied what was not to blame.
  fileprivate func accepted(_ name: String) -> EncodedResource? {
    let isAppliedInPart = !rejections.isEmpty && !isUnanswered && doubts.isEmpty
    return (isAppliedInPart ? sent : acked)?[name]
  }

  /// The rejection in force that blames these bytes.
  fileprivate func rejection(of name: String, in version: ContentHash?) -> Rejection? {
    guard let rejection = rejections.last(where: { $0.resources.contains(name) }) else {
      return nil
    }
    let refused = doubts[name]?.rejected ?? sent?[name]?.version
    return refused == version ? rejection : nil
  }

  /// What was accepted and is not, or not so, in a set.
  fileprivate func leftovers(against set: ResourceSet) -> [EncodedResource] {
    guard let acked, !acked.set.isIdentical(to: set), acked.set.version != set.version else {
      return []
    }
    return acked.resources.filter { set[$0.name]?.version != $0.version }
  }
}

extension Rejection {
  /// Whether an object is among those that may be the cause; of a resource without origins, all are.
  fileprivate func blames(_ object: ObjectRef) -> Bool {
    origins.isEmpty || origins.contains { $0.object == object }
  }
}

extension EncodedResource {
  /// Whether the same parts of the same generation of an object are in both.
  fileprivate func owes(_ object: ObjectRef, asMuchAs other: EncodedResource) -> Bool {
    func share(_ resource: EncodedResource) -> [Origin] {
      resource.origins.filter { $0.object == object }
    }
    let own = share(self)
    return !own.isEmpty && own == share(other)
  }
}
