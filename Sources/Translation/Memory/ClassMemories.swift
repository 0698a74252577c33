// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Synchronization

/// The memories of the classes of proxies that are translated, from revision to revision.
///
/// A memory and no state: what translation returns depends on its arguments alone, with or without it.
/// Two translations for one class at a time do not wait for each other: the second finds nothing, and
/// makes everything.
final class ClassMemories: Sendable {
  private struct State {
    var revision: UInt64 = 0
    var classes: [ProxyClass: (memory: ClassMemory, revision: UInt64)] = [:]
  }

  private let state = Mutex(State())

  /// Takes out what is remembered of a class; at the first translation of another revision, forgets the
  /// classes that were not translated for the last one.
  func take(_ proxyClass: ProxyClass, for revision: UInt64) -> ClassMemory {
    state.withLock { state in
      if revision != state.revision {
        let last = state.revision
        state.classes = state.classes.filter { $0.value.revision == last }
        state.revision = revision
      }
      return state.classes.removeValue(forKey: proxyClass)?.memory ?? ClassMemory()
    }
  }

  func put(_ memory: ClassMemory, of proxyClass: ProxyClass, for revision: UInt64) {
    state.withLock { $0.classes[proxyClass] = (memory, revision) }
  }
}
