// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What a stream could send of one type now.
struct Offer: Sendable {
  /// What the client has once it accepted the response.
  var selection: Selection
  /// The part to send, sorted; nil for the whole selection.
  var names: [String]?
  var warms = false
  /// False if it only repeats, alone, what was sent before together with something refused.
  var isChange = true
}

/// One type on one stream: what the client wants and what it has.
///
/// It stays after an unsubscription, since "first request of this type on this stream" matters.
struct Watch: Sendable {
  let typeURL: TypeURL
  /// The position in the push order; compared instead of the type's text.
  let rank: Int
  private(set) var subscription: Subscription
  private(set) var ledger: AckLedger
  private let isFullState: Bool
  /// The version_info of a first request, not yet compared.
  private(set) var claimedVersion: String?
  /// Whether names were added that nothing was said about, or an answer is to be repeated.
  private var isAnswerDue = false
  /// Whether the unanswered response is to be repeated if it is refused.
  private var isRetryDue = false
  /// Names to send though their bytes did not change.
  private var again: Set<String> = []

  init(
    _ request: DiscoveryRequest, claims: Bool, sharing: (Set<String>) -> Set<String>
  ) {
    // The well-known instance, so that streams do not each keep the text.
    typeURL = TypeURL.pushOrder.first { $0 == request.typeURL } ?? request.typeURL
    rank = request.typeURL.pushRank
    isFullState = request.typeURL.isFullState
    subscription = Subscription(
      requesting: request.resourceNames, of: request.typeURL, sharing: sharing)
    ledger = AckLedger(of: typeURL)
    claimedVersion = claims && !request.versionInfo.isEmpty ? request.versionInfo : nil
  }

  var mustSendAgain: Bool { !again.isEmpty }

  mutating func update(
    requesting names: [String], sharing: (Set<String>) -> Set<String>
  ) {
    let change = subscription.update(requesting: names, sharing: sharing)
    if change.removed {
      ledger.restrict(to: subscription)
      if !again.isEmpty { again = again.filter(subscription.selects) }
    }
    if change.added { isAnswerDue = true }
  }

  /// Compares the version that a first request came with, once there is something to compare.
  ///
  /// Versions are hashes of content, so an equal one from an earlier stream, even to another replica,
  /// means that the client has these very bytes.
  mutating func settleClaim(
    for set: ResourceSet, at now: ContinuousClock.Instant, version: (Selection) -> ContentHash
  ) {
    guard let claimedVersion else { return }
    self.claimedVersion = nil
    guard ledger.sent == nil, !subscription.isEmpty else { return }
    let selection = Selection(set, of: subscription)
    let version = version(selection)
    if claimedVersion == "\(version)" { ledger.assume(selection, version: version, at: now) }
  }

  /// Follows a new resource set.
  mutating func follow(_ set: ResourceSet) { ledger.rebase(on: set) }

  /// Marks resources that must be sent, now or when they appear, although they did not change.
  mutating func sendAgain(_ names: [String]) {
    again.formUnion(names.filter(subscription.selects))
  }

  /// Lets what is refused be sent once more, though it did not change: now, or when the unanswered
  /// response turns out to be refused.
  mutating func retryIfRefused() {
    if ledger.isUnanswered {
      isRetryDue = true
    } else if !ledger.rejections.isEmpty {
      isAnswerDue = true
    }
  }

  /// Notes what an overtaken request did not name any more: the client has forgotten that, and needs
  /// it again if its next request names it.
  mutating func overlook(_ request: DiscoveryRequest) {
    guard !isFullState else { return }
    again.formUnion(subscription.names.subtracting(request.resourceNames))
  }

  mutating func accept(at now: ContinuousClock.Instant) {
    isRetryDue = false
    ledger.accept(at: now)
  }

  mutating func reject(
    reason: String, at now: ContinuousClock.Instant, retryingSuspects: Bool
  ) -> Rejection? {
    if isRetryDue { isAnswerDue = true }
    isRetryDue = false
    return ledger.reject(
      reason: reason, typeURL: typeURL, at: now, retryingSuspects: retryingSuspects)
  }

  mutating func refuse(
    _ name: String, version: ContentHash, reason: String, at now: ContinuousClock.Instant
  ) -> Rejection? {
    ledger.refuse(name, version: version, reason: reason, typeURL: typeURL, at: now)
  }

  mutating func reconsider(
    _ name: String, version: ContentHash, at now: ContinuousClock.Instant
  ) {
    ledger.reconsider(name, version: version, at: now)
  }

  mutating func record(
    _ offer: Offer, version: ContentHash, nonce: Nonce, at now: ContinuousClock.Instant
  ) {
    ledger.record(offer, version: version, nonce: nonce, at: now)
    isAnswerDue = false
    if again.isEmpty { return }
    again.subtract(offer.names ?? offer.selection.resources.map(\.name))
  }

  /// What to send of a set, or nil if the client has all that it can be given.
  ///
  /// `kept` are resources to go on sending though the set has them no more (full state only).
  func offer(of set: ResourceSet, keeping kept: [EncodedResource] = []) -> Offer? {
    guard !subscription.isEmpty else { return nil }
    return isFullState ? fullOffer(of: set, keeping: kept) : partialOffer(of: set)
  }

  /// Everything, if anything differs from the last response, refused or not.
  private func fullOffer(of set: ResourceSet, keeping kept: [EncodedResource]) -> Offer? {
    guard let sent = ledger.sent, !isAnswerDue else {
      return Offer(selection: Selection(set, of: subscription, kept: kept))
    }
    if sent.set.version == set.version && sent.kept.isEmpty && kept.isEmpty { return nil }
    let selection = Selection(set, of: subscription, kept: kept)
    return selection.hasSameContents(as: sent) ? nil : Offer(selection: selection)
  }

  /// The resources that differ from what the client has; those alone that were refused in company.
  private func partialOffer(of set: ResourceSet) -> Offer? {
    // The usual case: the client has all that it asked for of an older set.
    if let sent = ledger.sent, !isAnswerDue, ledger.doubts.isEmpty,
      sent.names == subscription.selectedNames
    {
      let isSame = sent.set.version == set.version && again.isEmpty
      return isSame ? nil : update(from: sent, to: set)
    }
    var changed: [String] = []
    var cleared: String?
    var withheld: Set<String> = []
    var warms = false
    for resource in set.resources where subscription.selects(resource.name) {
      let name = resource.name
      if let doubt = ledger.doubts[name] {
        if doubt.rejected == resource.version {
          withheld.insert(name)
          let isSuspect = doubt.verdict == .suspect && again.contains(name)
          if cleared == nil && (isSuspect || doubt.verdict == .cleared) { cleared = name }
        } else if doubt.accepted != resource.version || again.contains(name) {
          changed.append(name)
        }
        continue
      }
      let has = ledger.sent?[name]?.version
      guard has != resource.version || again.contains(name) else { continue }
      changed.append(name)
      warms = warms || has == nil || again.contains(name)
    }
    let isChange = !changed.isEmpty
    if !isChange, let cleared {
      changed = [cleared]
      withheld.remove(cleared)
    }
    guard !changed.isEmpty else { return nil }
    let selection = selection(of: set, without: withheld)
    let isWhole = selection.coversSet && changed.count == set.resources.count
    return Offer(
      selection: selection, names: isWhole ? nil : changed, warms: warms, isChange: isChange)
  }

  private func update(from sent: Selection, to set: ResourceSet) -> Offer? {
    let difference = SetDifference(from: sent.set, to: set)
    var changed = difference.changed.filter(subscription.selects)
    let needed = again.filter { set[$0] != nil }
    if !needed.isEmpty { changed = needed.union(changed).sorted() }
    if changed.isEmpty { return nil }
    let selection = Selection(
      set, names: sent.names, coversSet: difference.hasSameNames ? sent.coversSet : nil)
    let isWhole = selection.coversSet && changed.count == set.resources.count
    let isNew = !difference.hasSameNames && changed.contains { sent.set[$0] == nil }
    return Offer(
      selection: selection, names: isWhole ? nil : changed, warms: isNew || !needed.isEmpty)
  }

  /// What the client has when it accepts; refused bytes are not part of it.
  private func selection(of set: ResourceSet, without withheld: Set<String>) -> Selection {
    guard !withheld.isEmpty else { return Selection(set, of: subscription) }
    let names = subscription.isWildcard ? Set(set.resources.map(\.name)) : subscription.names
    return Selection(set, names: names.subtracting(withheld))
  }
}
