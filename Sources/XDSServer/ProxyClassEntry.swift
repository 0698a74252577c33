// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Synchronization

/// A class of connected proxies and what it gets now: translated once, whatever its size.
final class ProxyClassEntry: Sendable {
  private struct State {
    var snapshot: ResourceSnapshot?
    var streamCount = 0
  }

  let proxyClass: ProxyClass
  private let state = Mutex(State())

  init(_ proxyClass: ProxyClass) { self.proxyClass = proxyClass }

  /// Nil until the first translation is done.
  var snapshot: ResourceSnapshot? { state.withLock { $0.snapshot } }

  var isUsed: Bool { state.withLock { $0.streamCount > 0 } }

  func publish(_ snapshot: ResourceSnapshot) { state.withLock { $0.snapshot = snapshot } }

  func attach() { state.withLock { $0.streamCount += 1 } }

  func detach() { state.withLock { $0.streamCount -= 1 } }
}
