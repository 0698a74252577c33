// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// Which clients stand alike, so that what is found out about one holds for all.
extension StreamState {
  /// All that progress depends on: clients in equal positions have come equally far with everything.
  package var position: Position {
    Position(
      watches: watches.map { watch in
        let ledger = watch.ledger
        return Position.Watch(
          typeURL: watch.typeURL, subscription: watch.subscription, acked: ledger.acked?.version,
          sent: ledger.sent?.version, isUnanswered: ledger.isUnanswered, doubts: ledger.doubts,
          refused: ledger.rejections.map {
            Position.Refusal(resources: $0.resources, reason: $0.reason)
          })
      })
  }

  /// Where a client stands between what it was sent and what it answered.
  package struct Position: Hashable, Sendable {
    struct Refusal: Hashable {
      var resources: [String]
      var reason: String
    }

    struct Watch: Hashable {
      var typeURL: TypeURL
      var subscription: Subscription
      var acked: ContentHash?
      var sent: ContentHash?
      var isUnanswered: Bool
      var doubts: [String: AckLedger.Doubt]
      var refused: [Refusal]

      /// Names are many and mostly the same for all: they are compared, but tell clients apart no
      /// better than what they have accepted of them.
      func hash(into hasher: inout Hasher) {
        hasher.combine(subscription.names.count)
        hasher.combine(acked)
        hasher.combine(sent)
        hasher.combine(isUnanswered)
      }
    }

    var watches: [Watch]
  }
}
