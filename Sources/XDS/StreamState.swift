// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// One ADS stream, state of the world: requests and snapshots in, responses out.
///
/// A value without clock, lock or I/O. Its owner, an event loop, feeds it and then pulls `next(at:)`
/// whenever the transport can take a message. Since only the latest snapshot is kept, a slow reader
/// skips versions and costs no more than a fast one. Of each type at most one response is unanswered.
///
/// See https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
package struct StreamState: Sendable {
  // Envoy uses a dozen types; a client that invents more gets no memory for them.
  private static let watchLimit = 32

  private let streamID: String
  private let retriesSuspectsAtOnce: Bool
  private var responseCount: UInt64 = 0
  /// The latest that was pushed; nil before the first.
  package private(set) var snapshot: ResourceSnapshot?
  /// In push order.
  private(set) var watches: [Watch] = []

  /// Makes the state of a new stream.
  ///
  /// - Parameters:
  ///   - streamID: the first part of its nonces; eight characters at most keep them free of
  ///     allocations.
  ///   - retriesSuspectsAtOnce: what happens to resources, of types that can be sent one by one, that
  ///     were refused together with others while Envoy did not say which is to blame. They are sent
  ///     again one by one, which finds the culprit and applies the others: at once, or (false) as
  ///     soon as anything of that type changes.
  package init(streamID: String, retriesSuspectsAtOnce: Bool = false) {
    self.streamID = streamID
    self.retriesSuspectsAtOnce = retriesSuspectsAtOnce
  }

  /// Takes the newest resources; what was not sent of the former ones never will be.
  package mutating func push(_ snapshot: ResourceSnapshot, at now: ContinuousClock.Instant) {
    self.snapshot = snapshot
    for index in watches.indices {
      watches[index].follow(snapshot[watches[index].typeURL, rank: watches[index].rank])
      if watches[index].claimedVersion != nil { settleClaim(index, in: snapshot, at: now) }
    }
  }

  /// Takes a request and says what it meant.
  ///
  /// `sharing` may answer an equal set with shared storage, see `NamePool`; it is called only when a
  /// subscription changes.
  package mutating func handle(
    _ request: DiscoveryRequest, at now: ContinuousClock.Instant,
    sharing: (Set<String>) -> Set<String> = { $0 }
  ) -> RequestOutcome {
    guard let index = position(of: request.typeURL) else {
      return begin(request, at: now, sharing: sharing)
    }
    guard let nonce = request.responseNonce, let last = watches[index].ledger.sentNonce else {
      return beginAgain(index, request, sharing: sharing)
    }
    guard nonce == last else {
      if nonce.rawValue.hasPrefix("\(streamID)-") { watches[index].overlook(request) }
      return .stale(nonce)
    }
    let outcome = settle(index, request, at: now)
    let wasEmpty = watches[index].subscription.isEmpty
    watches[index].update(requesting: request.resourceNames, sharing: sharing)
    if outcome == .repeated, !wasEmpty, watches[index].subscription.isEmpty {
      return .unsubscribed
    }
    return outcome
  }

  /// Notes that the client, which had accepted a resource, cannot run it after all.
  ///
  /// Istio's protocol has no word for it; skiff-agent reports it when a Wasm module cannot be had.
  ///
  /// - Returns: the rejection; nil if the client was not given these bytes, or refused them already.
  package mutating func refuse(
    _ name: String, of typeURL: TypeURL, version: ContentHash, reason: String,
    at now: ContinuousClock.Instant
  ) -> Rejection? {
    guard let index = position(of: typeURL) else { return nil }
    return watches[index].refuse(name, version: version, reason: reason, at: now)
  }

  /// Notes that the client can run a resource that it had refused, so that it is offered once more.
  package mutating func reconsider(
    _ name: String, of typeURL: TypeURL, version: ContentHash, at now: ContinuousClock.Instant
  ) {
    guard let index = position(of: typeURL) else { return }
    watches[index].reconsider(name, version: version, at: now)
  }

  /// The next response to send, in push order; nil if there is nothing for now.
  ///
  /// A response that was taken counts as sent, `now` as the time that it was.
  package mutating func next(at now: ContinuousClock.Instant) -> Response? {
    guard let snapshot else { return nil }
    for index in watches.indices where !watches[index].ledger.isUnanswered {
      guard !mustWait(index), let offer = offer(at: index, from: snapshot) else { continue }
      let typeURL = watches[index].typeURL
      if typeURL == .cluster { warmEndpoints(by: offer, at: index) }
      responseCount += 1
      let nonce = Nonce(streamID: streamID, count: responseCount)
      let version = version(of: offer.selection, as: typeURL, in: snapshot)
      watches[index].record(offer, version: version, nonce: nonce, at: now)
      return Response(
        typeURL: typeURL, nonce: nonce, version: version, selection: offer.selection,
        names: offer.names)
    }
    return nil
  }

  /// Whether `next(at:)` has something to give: cheaper to ask than to wake a transport for nothing.
  package var hasNext: Bool {
    guard let snapshot else { return false }
    return watches.indices.contains { index in
      !watches[index].ledger.isUnanswered && !mustWait(index)
        && offer(at: index, from: snapshot) != nil
    }
  }

  /// The response that has waited longest for an answer, for the server to give up on the client.
  package var oldestUnanswered: (typeURL: TypeURL, since: ContinuousClock.Instant)? {
    watches.compactMap { watch in
      watch.ledger.unanswered.map { (typeURL: watch.typeURL, since: $0.since) }
    }.min { $0.since < $1.since }
  }

  /// The memory that each subscribed type takes, besides what is shared with other streams.
  package static var bytesPerSubscription: Int { MemoryLayout<Watch>.stride }

  private func position(of typeURL: TypeURL) -> Int? {
    for index in watches.indices where watches[index].typeURL == typeURL { return index }
    return nil
  }

  /// The position of the watch of a well-known type.
  func position(of rank: Int) -> Int? {
    for index in watches.indices where watches[index].rank == rank { return index }
    return nil
  }

  /// The first request of a type on this stream.
  ///
  /// A nonce on it comes from an earlier stream, and so does an error without a nonce: Envoy clears
  /// the nonce but not the error when it reconnects. An error with a nonce is a NACK of nothing.
  private mutating func begin(
    _ request: DiscoveryRequest, at now: ContinuousClock.Instant,
    sharing: (Set<String>) -> Set<String>
  ) -> RequestOutcome {
    if request.errorDetail != nil && request.responseNonce != nil { return .ignored }
    guard watches.count < Self.watchLimit || TypeURL.pushOrder.contains(request.typeURL) else {
      return .ignored
    }
    // If what refers to this type was sent before, Envoy may wait for these resources anew.
    let claims = !request.typeURL.referringTypes.contains { type in
      position(of: type.pushRank).map { watches[$0].ledger.sentNonce != nil } ?? false
    }
    let created = Watch(request, claims: claims, sharing: sharing)
    let place = watches.firstIndex { $0.rank > created.rank } ?? watches.endIndex
    watches.insert(created, at: place)
    if let snapshot { settleClaim(place, in: snapshot, at: now) }
    return created.subscription.isEmpty ? .unsubscribed : .subscribed
  }

  /// A request without a nonce for a type that has a watch, or with one that nothing was sent under.
  ///
  /// Before the first response the client only adds names; after it, it has lost its state and gets
  /// everything again.
  private mutating func beginAgain(
    _ index: Int, _ request: DiscoveryRequest, sharing: (Set<String>) -> Set<String>
  ) -> RequestOutcome {
    if request.errorDetail != nil { return .ignored }
    let ledger = watches[index].ledger
    let hasLostAll = ledger.sent != nil && request.versionInfo.isEmpty
    if ledger.sentNonce == nil && !hasLostAll {
      watches[index].update(requesting: request.resourceNames, sharing: sharing)
    } else {
      watches[index] = Watch(request, claims: false, sharing: sharing)
    }
    return watches[index].subscription.isEmpty ? .unsubscribed : .subscribed
  }

  private mutating func settleClaim(
    _ index: Int, in snapshot: ResourceSnapshot, at now: ContinuousClock.Instant
  ) {
    var watch = watches[index]
    guard watch.claimedVersion != nil else { return }
    let typeURL = watch.typeURL
    watch.settleClaim(for: snapshot[typeURL], at: now) { selection in
      version(of: selection, as: typeURL, in: snapshot)
    }
    watches[index] = watch
  }

  /// The version_info for a selection: its hash, together with the versions of what refers to it.
  ///
  /// A client drops resources and wants them again as clusters and listeners come and go; with the
  /// version of the endpoints alone it could claim, after a reconnect, to have what it just dropped.
  private func version(
    of selection: Selection, as typeURL: TypeURL, in snapshot: ResourceSnapshot
  ) -> ContentHash {
    let referring = typeURL.referringTypes
    guard !referring.isEmpty else { return selection.version }
    var hasher = ContentHash.Hasher()
    hasher.combine(selection.version)
    for type in referring {
      let rank = type.pushRank
      let sent = position(of: rank).flatMap { watches[$0].ledger.sent?.version }
      hasher.combine(sent ?? snapshot[type, rank: rank].version)
    }
    return hasher.finalize()
  }

  private mutating func settle(
    _ index: Int, _ request: DiscoveryRequest, at now: ContinuousClock.Instant
  ) -> RequestOutcome {
    guard let unanswered = watches[index].ledger.unanswered else { return .repeated }
    guard let reason = request.errorDetail else {
      let doubts = watches[index].ledger.doubts.count
      watches[index].accept(at: now)
      if watches[index].ledger.doubts.count < doubts { retryListeners(mendedBy: index) }
      return .acked(unanswered.nonce, after: unanswered.since.duration(to: now))
    }
    let rejection = watches[index].reject(
      reason: reason, at: now, retryingSuspects: retriesSuspectsAtOnce)
    // What was pushed while the response was unanswered may have mended it already.
    if let snapshot {
      watches[index].follow(snapshot[request.typeURL, rank: watches[index].rank])
    }
    return rejection.map(RequestOutcome.rejected) ?? .repeated
  }

  /// Lets refused listeners be sent once more when a refused filter configuration is mended.
  ///
  /// Envoy builds a listener with the last configuration that it was sent for a filter, and refuses the
  /// listener where that is bad.
  private mutating func retryListeners(mendedBy index: Int) {
    guard watches[index].rank == TypeURL.extensionConfig.pushRank,
      let listeners = position(of: TypeURL.listener.pushRank)
    else { return }
    watches[listeners].retryIfRefused()
  }

  /// A new or changed cluster warms until it gets its endpoints, also if they did not change.
  ///
  /// Envoy does not take them from the former cluster (https://github.com/envoyproxy/envoy/issues/13009).
  /// Endpoints are named like their cluster.
  private mutating func warmEndpoints(by offer: Offer, at clusters: Int) {
    guard let index = position(of: TypeURL.endpoint.pushRank) else { return }
    let changed =
      if let sent = watches[clusters].ledger.sent, sent.names == offer.selection.names,
        sent.kept.isEmpty
      {
        SetDifference(from: sent.set, to: offer.selection.set).changed
      } else {
        changedClusters(of: offer.selection, since: watches[clusters].ledger.sent)
      }
    watches[index].sendAgain(changed)
  }

  private func changedClusters(of selection: Selection, since sent: Selection?) -> [String] {
    selection.resources.filter { sent?[$0.name]?.version != $0.version }.map(\.name)
  }
}

extension TypeURL {
  /// The types whose resources name resources of this type.
  var referringTypes: [Self] {
    switch self {
    case .endpoint: [.cluster]
    case .route, .extensionConfig: [.listener]
    case .secret: [.cluster, .listener]
    default: []
    }
  }
}
