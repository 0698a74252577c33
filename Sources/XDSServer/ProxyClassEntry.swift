// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Synchronization

/// A class of connected proxies and what it gets now: translated once, whatever its size.
final class ProxyClassEntry: Sendable {
  private struct State {
    var snapshot: ResourceSnapshot?
    /// Of the snapshot; made when somebody asks.
    var dependents: [ObjectRef: [ResourceKey]]?
    var streamCount = 0
  }

  let proxyClass: ProxyClass
  private let state = Mutex(State())

  init(_ proxyClass: ProxyClass) { self.proxyClass = proxyClass }

  /// Nil until the first translation is done.
  var snapshot: ResourceSnapshot? { state.withLock { $0.snapshot } }

  var isUsed: Bool { state.withLock { $0.streamCount > 0 } }

  func publish(_ snapshot: ResourceSnapshot) {
    state.withLock { state in
      state.snapshot = snapshot
      state.dependents = nil
    }
  }

  /// What the class gets now, and what of it each object has caused.
  var dependents: (snapshot: ResourceSnapshot, keys: [ObjectRef: [ResourceKey]])? {
    state.withLock { state in
      guard let snapshot = state.snapshot else { return nil }
      let dependents = state.dependents ?? snapshot.dependents()
      state.dependents = dependents
      return (snapshot, dependents)
    }
  }

  func attach() { state.withLock { $0.streamCount += 1 } }

  func detach() { state.withLock { $0.streamCount -= 1 } }
}

extension ResourceSnapshot {
  /// The resources that each object has a part in, in push order.
  fileprivate func dependents() -> [ObjectRef: [ResourceKey]] {
    var keys: [ObjectRef: [ResourceKey]] = [:]
    for typeURL in typeURLs {
      for resource in self[typeURL].resources {
        let key = ResourceKey(typeURL: typeURL, name: resource.name)
        // Origins are sorted, so those of one object stand together.
        var last: ObjectRef?
        for origin in resource.origins where origin.object != last {
          keys[origin.object, default: []].append(key)
          last = origin.object
        }
      }
    }
    return keys
  }
}
