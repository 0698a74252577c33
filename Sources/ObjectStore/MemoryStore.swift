// SPDX-License-Identifier: Apache-2.0

package import MeshModel

/// A store that ends with the process.
package actor MemoryStore: Store {
  private var state: StoreState
  private var history: History
  private var consumers: [AsyncStream<Void>.Continuation] = []

  package init(limits: LogLimits = LogLimits(), history: HistoryLimits = HistoryLimits()) {
    state = StoreState(limits: limits)
    self.history = History(limits: history)
  }

  package func revision() -> Revision { state.revision }

  package func object(_ ref: ObjectRef) -> StoredObject? { state.object(ref) }

  package func objects(
    of kind: ObjectKind, in namespace: String?, after: ObjectRef?, limit: Int?
  ) -> Listing {
    state.objects(of: kind, in: namespace, after: after, limit: limit)
  }

  package func write(_ writes: [Write]) throws(StoreError) -> [StoredObject] {
    let changes = try state.plan(writes)
    history.take(history.plan(changes, writes))
    state.take(changes)
    consumers.signal()
    return changes.map(\.object)
  }

  package func history(in namespace: String?) -> [HistoryEntry] {
    history.entries(in: namespace) { state.object($0) }
  }

  package func changes(after: Revision, limit: Int) throws(StoreError) -> [Change] {
    try state.changes(after: after, limit: limit)
  }

  package func signals() -> AsyncStream<Void> { consumers.add() }
}

extension [AsyncStream<Void>.Continuation] {
  mutating func add() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    append(continuation)
    return stream
  }

  /// Tells all that are still there.
  mutating func signal() {
    removeAll { consumer in
      if case .terminated = consumer.yield() { true } else { false }
    }
  }
}
