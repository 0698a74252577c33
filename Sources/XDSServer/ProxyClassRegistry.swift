// SPDX-License-Identifier: Apache-2.0

import MeshModel
import Synchronization

/// Sorts connected proxies into classes, by the mesh in force.
final class ProxyClassRegistry: Sendable {
  private struct State {
    var mesh: MeshSnapshot?
    var entries: [ProxyClass: ProxyClassEntry] = [:]
    /// Grows when proxies must be sorted anew.
    var classification: UInt64 = 0
  }

  /// A proxy's class and the classification that found it.
  struct Placement {
    var entry: ProxyClassEntry
    var classification: UInt64
    /// The entry was made for this proxy and has to be translated.
    var isNew: Bool
  }

  private let state = Mutex(State())

  var mesh: MeshSnapshot? { state.withLock { $0.mesh } }

  var classification: UInt64 { state.withLock { $0.classification } }

  /// Classes that some stream is in.
  var entries: [ProxyClassEntry] { state.withLock { Array($0.entries.values) } }

  /// Finds or makes the class of a proxy, and counts the stream in; nil before the first mesh.
  func place(_ proxy: Proxy) -> Placement? {
    guard let mesh else { return nil }
    let proxyClass = mesh.classifier.proxyClass(of: proxy)
    return state.withLock { state in
      let existing = state.entries[proxyClass]
      let entry = existing ?? ProxyClassEntry(proxyClass)
      if existing == nil { state.entries[proxyClass] = entry }
      entry.attach()
      // A mesh that came between the two locks sorts anew: the stream will notice.
      let isCurrent = state.mesh?.classifier == mesh.classifier
      return Placement(
        entry: entry,
        classification: isCurrent ? state.classification : state.classification &- 1,
        isNew: existing == nil)
    }
  }

  /// Takes a new mesh; answers the classes to translate.
  ///
  /// Where the mesh sorts proxies as before, these are the classes in use. Otherwise there are none
  /// yet: every stream sorts itself anew, and keeps what it has until its new class is translated.
  func update(_ mesh: MeshSnapshot) -> [ProxyClassEntry] {
    state.withLock { state in
      let sortsAsBefore = state.mesh?.classifier == mesh.classifier
      state.mesh = mesh
      if sortsAsBefore {
        state.entries = state.entries.filter { $0.value.isUsed }
      } else {
        state.entries = [:]
        state.classification += 1
      }
      return Array(state.entries.values)
    }
  }
}
