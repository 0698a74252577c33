// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// Whether a proxy has what it should have, in the words of istioctl proxy-status.
package enum SyncStatus: String, Hashable, Sendable {
  case notSent = "NOT_SENT"
  case synced = "SYNCED"
  /// Sent and not answered, or not sent yet in its newest form.
  case stale = "STALE"
  case error = "ERROR"
}

/// One resource on one stream: the versions sent, accepted and refused.
package struct ResourceReport: Hashable, Sendable {
  package let name: String
  package let status: SyncStatus
  package let sent: ContentHash?
  package let acked: ContentHash?
  /// Nil unless a rejection in force blames it.
  package let rejected: ContentHash?
}

/// One type on one stream, for the debug pages: derived when asked for, not kept.
package struct TypeReport: Sendable {
  package let typeURL: TypeURL
  package let status: SyncStatus
  /// The nonces are nil after a reconnect that needed no response.
  package let sentNonce: Nonce?
  package let ackedNonce: Nonce?
  package let sentVersion: ContentHash?
  package let ackedVersion: ContentHash?
  package let sentAt: ContinuousClock.Instant?
  package let ackedAt: ContinuousClock.Instant?
  package let isWildcard: Bool
  /// The names that were asked for, besides the wildcard.
  package let names: Set<String>
  package let rejections: [Rejection]
  /// By name; what the client should have and what it has.
  package let resources: [ResourceReport]
}

extension StreamState {
  /// The types that the client asks for, in push order.
  package var subscriptions: [TypeURL] {
    watches.filter { !$0.subscription.isEmpty }.map(\.typeURL)
  }

  /// The rejections in force, in push order; none once they are mended.
  package var rejections: [Rejection] { watches.flatMap(\.ledger.rejections) }

  package var reports: [TypeReport] { watches.map(report) }

  /// Nil for a type that the client never asked for.
  package func report(on typeURL: TypeURL) -> TypeReport? {
    watches.first { $0.typeURL == typeURL }.map(report)
  }

  private func report(_ watch: Watch) -> TypeReport {
    let ledger = watch.ledger
    // Clusters that are only kept for a while count as a difference.
    let isPending = snapshot.map { watch.offer(of: $0[watch.typeURL]) != nil } ?? false
    let status: SyncStatus =
      if !ledger.rejections.isEmpty {
        .error
      } else if ledger.sent == nil && ledger.sentNonce == nil {
        .notSent
      } else {
        ledger.unanswered != nil || isPending ? .stale : .synced
      }
    return TypeReport(
      typeURL: watch.typeURL, status: status, sentNonce: ledger.sentNonce,
      ackedNonce: ledger.ackedNonce,
      sentVersion: ledger.sentVersion,
      ackedVersion: ledger.ackedVersion, sentAt: ledger.sentAt, ackedAt: ledger.ackedAt,
      isWildcard: watch.subscription.isWildcard, names: watch.subscription.names,
      rejections: ledger.rejections, resources: resourceReports(watch))
  }

  private func resourceReports(_ watch: Watch) -> [ResourceReport] {
    let ledger = watch.ledger
    let wanted = snapshot.map { Selection($0[watch.typeURL], of: watch.subscription) }
    let blamed = Set(ledger.rejections.flatMap(\.resources))
    let names = Set((wanted?.resources ?? []).map(\.name))
      .union((ledger.sent?.resources ?? []).map(\.name))
    return names.sorted().map { name in
      let acked = ledger.acked?[name]?.version
      let doubt = ledger.doubts[name].flatMap { $0.isMoot ? nil : $0 }
      let sent = doubt?.rejected ?? ledger.doubts[name]?.accepted ?? ledger.sent?[name]?.version
      let isBlamed = blamed.contains(name) && (watch.typeURL.isFullState || doubt != nil)
      let rejected = isBlamed ? sent : nil
      let status: SyncStatus =
        if rejected != nil {
          .error
        } else if sent == nil {
          .notSent
        } else {
          doubt == nil && sent == acked && sent == wanted?[name]?.version ? .synced : .stale
        }
      return ResourceReport(
        name: name, status: status, sent: sent, acked: acked, rejected: rejected)
    }
  }
}
