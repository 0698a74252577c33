// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What was sent of one type on one stream, and what the client said to it.
///
/// Only the nonce of the unanswered response settles it. Everything is kept as references to shared
/// resource sets; a table by name exists only while something is rejected.
struct AckLedger: Sendable {
  /// A response without an answer.
  struct Unanswered: Sendable {
    var nonce: Nonce
    var since: ContinuousClock.Instant
    /// Sorted; nil for the whole selection.
    var names: [String]?
    /// Whether Envoy warms something with it, so that what refers to that should wait.
    var warms: Bool
  }

  /// What is known of a resource that was in a refused response.
  struct Doubt: Hashable, Sendable {
    enum Verdict: Hashable, Sendable {
      /// These bytes are refused. Next: other bytes, or the resource goes.
      case culprit
      /// Was sent together with the culprit, or is it. Next: `cleared`, once anything changes.
      case suspect
      /// May be sent once more, alone. Next: accepted, or `culprit`.
      case cleared
    }

    var rejected: ContentHash
    /// What the client certainly still has; nil if it may have the one or the other.
    var accepted: ContentHash?
    var verdict: Verdict
    /// Whether the accepted bytes, or none, are wanted now, so that there is nothing to mend.
    var isMoot = false
  }

  // Envoy's texts can be as long as a request; more than this helps nobody and fills the memory.
  private static let reasonLimit = 16 * 1024

  private let isFullState: Bool
  /// What the client is taken to have: the last response if it was not refused.
  ///
  /// Of a full-state type also the refused one, since Envoy applies its valid resources
  /// (https://github.com/envoyproxy/envoy/issues/32880).
  private(set) var sent: Selection?
  /// The version_info of the last response, refused or not.
  private(set) var sentVersion: ContentHash?
  private(set) var sentNonce: Nonce?
  private(set) var sentAt: ContinuousClock.Instant?
  private(set) var acked: Selection?
  private(set) var ackedVersion: ContentHash?
  private(set) var ackedNonce: Nonce?
  private(set) var ackedAt: ContinuousClock.Instant?
  private(set) var unanswered: Unanswered?
  /// By name; always empty for a full-state type.
  private(set) var doubts: [String: Doubt] = [:]
  /// Oldest first, those included whose resources are as the client has them again.
  private var allRejections: [Rejection] = []

  init(of typeURL: TypeURL) { isFullState = typeURL.isFullState }

  var isUnanswered: Bool { unanswered != nil }

  /// Those in force, oldest first.
  var rejections: [Rejection] {
    guard !isFullState else { return allRejections }
    return allRejections.filter { rejection in
      rejection.resources.contains { doubts[$0].map { !$0.isMoot } ?? false }
    }
  }

  /// The client showed, by the version of an earlier stream, that it has all this.
  mutating func assume(
    _ selection: Selection, version: ContentHash, at now: ContinuousClock.Instant
  ) {
    sent = selection
    sentVersion = version
    acked = selection
    ackedVersion = version
    ackedAt = now
  }

  mutating func record(
    _ offer: Offer, version: ContentHash, nonce: Nonce, at now: ContinuousClock.Instant
  ) {
    precondition(unanswered == nil, "a response was taken while another is unanswered")
    sent = offer.selection
    sentVersion = version
    sentNonce = nonce
    sentAt = now
    unanswered = Unanswered(nonce: nonce, since: now, names: offer.names, warms: offer.warms)
    if offer.isChange { clearSuspects() }
  }

  /// Notes that the unanswered response was accepted.
  mutating func accept(at now: ContinuousClock.Instant) {
    guard let unanswered else { return }
    self.unanswered = nil
    acked = sent
    ackedVersion = sentVersion
    ackedNonce = unanswered.nonce
    ackedAt = now
    if isFullState {
      allRejections = []
    } else if !doubts.isEmpty {
      for name in unanswered.names ?? acked?.resources.map(\.name) ?? [] { doubts[name] = nil }
      dropSettledRejections()
    }
  }

  /// Notes that the unanswered response was refused, and whom to blame.
  ///
  /// Those that were only sent together with a culprit that is certain may be sent again, alone, at
  /// once: one bad resource must not keep its neighbours back. With `atOnce` that holds also where
  /// nobody knows which it is. Nil if no response is unanswered.
  mutating func reject(
    reason: String, typeURL: TypeURL, at now: ContinuousClock.Instant, retryingSuspects atOnce: Bool
  ) -> Rejection? {
    guard let unanswered, let refused = sent else { return nil }
    self.unanswered = nil
    let response = unanswered.names.map { $0.compactMap { refused[$0] } } ?? refused.resources
    let text = Self.bounded(reason)
    let blame = Blame(response: response, reason: text) { acked?[$0] }
    let rejection = Rejection(
      typeURL: typeURL, nonce: unanswered.nonce, version: sentVersion ?? refused.version,
      reason: text, at: now,
      resources: blame.resources.map(\.name), origins: blame.origins)
    if isFullState {
      allRejections = [rejection]
    } else {
      doubt(response, blame, retryingSuspects: atOnce)
      sent = acked
      allRejections.append(rejection)
      dropSettledRejections(replacedBy: rejection)
    }
    return rejection
  }

  /// Notes that one resource, accepted before, is refused after all.
  mutating func refuse(
    _ name: String, version: ContentHash, reason: String, typeURL: TypeURL,
    at now: ContinuousClock.Instant
  ) -> Rejection? {
    // While it is unanswered the answer will tell.
    if let unanswered, unanswered.names?.contains(name) ?? true { return nil }
    guard let sentNonce, let sentVersion, let resource = sent?[name], resource.version == version,
      doubts[name]?.rejected != version,
      !allRejections.contains(where: { isFullState && $0.resources == [name] })
    else { return nil }
    let rejection = Rejection(
      typeURL: typeURL, nonce: sentNonce, version: sentVersion, reason: Self.bounded(reason),
      at: now, resources: [name], origins: resource.origins)
    if !isFullState {
      doubts[name] = Doubt(rejected: version, accepted: nil, verdict: .culprit)
    }
    allRejections.append(rejection)
    return rejection
  }

  /// Lets refused bytes be sent once more; of a full-state type the client has them already.
  mutating func reconsider(
    _ name: String, version: ContentHash, at now: ContinuousClock.Instant
  ) {
    if isFullState {
      guard unanswered == nil, sent?[name]?.version == version else { return }
      allRejections.removeAll { $0.resources == [name] }
      if allRejections.isEmpty {
        (acked, ackedVersion, ackedNonce, ackedAt) = (sent, sentVersion, sentNonce, now)
      }
    } else if doubts[name]?.rejected == version {
      doubts[name]?.verdict = .cleared
    }
  }

  private static func bounded(_ reason: String) -> String {
    String(decoding: reason.utf8.prefix(reasonLimit), as: UTF8.self)
  }

  /// Follows a subscription that lost names: the client has forgotten them.
  mutating func restrict(to subscription: Subscription) {
    let isSettled = acked === sent
    sent = sent?.restricted(to: subscription)
    acked = isSettled ? sent : acked?.restricted(to: subscription)
    if subscription.isEmpty { allRejections = [] }
    guard !doubts.isEmpty else { return }
    let former = doubts.count
    doubts = doubts.filter { subscription.selects($0.key) }
    if doubts.count != former { clearSuspects() }
    dropSettledRejections()
  }

  /// Follows a new resource set: frees older sets with the same content, and ends the rejections of
  /// resources that went away or went back to what the client has.
  ///
  /// The doubts stay: the client may have applied a refused resource in part, also of one that comes
  /// back later.
  mutating func rebase(on set: ResourceSet) {
    let isSettled = acked === sent
    sent = sent?.rebased(on: set)
    acked = isSettled ? sent : acked?.rebased(on: set)
    guard !doubts.isEmpty else { return }
    if doubts.contains(where: { set[$0.key]?.version != $0.value.rejected }) { clearSuspects() }
    for (name, doubt) in doubts {
      let wanted = set[name]?.version
      doubts[name]?.isMoot = wanted == nil || wanted == doubt.accepted
    }
  }

  private mutating func clearSuspects() {
    guard !doubts.isEmpty else { return }
    doubts = doubts.mapValues { doubt in
      var doubt = doubt
      if doubt.verdict == .suspect { doubt.verdict = .cleared }
      return doubt
    }
  }

  private mutating func doubt(
    _ response: [EncodedResource], _ blame: Blame, retryingSuspects atOnce: Bool
  ) {
    let blamed = Set(blame.resources.map(\.name))
    for resource in response {
      let name = resource.name
      let former = acked?[name]?.version
      let isCulprit = blame.isCertain && blamed.contains(name)
      // Sent again only for a warming cluster, and accepted before: innocent, and still needed.
      let isInnocent = former == resource.version && !blamed.contains(name)
      // Envoy applies a response resource by resource: alone, a refused one changed nothing.
      let accepted = doubts[name].map(\.accepted) ?? former
      doubts[name] = Doubt(
        rejected: resource.version, accepted: response.count == 1 ? accepted : nil,
        verdict: isCulprit
          ? .culprit : atOnce || isInnocent || blame.isCertain ? .cleared : .suspect)
    }
  }

  /// Ends rejections of which no blamed resource is doubted any more, or that a newer one covers.
  private mutating func dropSettledRejections(replacedBy newer: Rejection? = nil) {
    allRejections.removeAll { rejection in
      if let newer, rejection != newer,
        newer.resources.contains(where: rejection.resources.contains)
      {
        return true
      }
      return rejection.resources.allSatisfy { doubts[$0] == nil }
    }
  }
}
