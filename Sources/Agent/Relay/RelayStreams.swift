// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Prometheus
import Synchronization
import WasmModules

/// How Envoy and skiffd are connected.
package struct RelayStatus: Hashable, Sendable {
  /// Streams of Envoy: one, two during a hot restart, none while it starts.
  package var streams = 0
  /// Those of them that skiffd has answered on their present connection.
  package var served = 0
  /// Whether skiffd has ever answered one: Envoy serves what it has, also when skiffd goes away.
  package var wasServed = false
  /// The modules that they need.
  package var modules: [ModuleStatus] = []
}

/// What is known of all streams at once: status, modules for the metrics, files in use.
final class RelayStreams: Sendable {
  private struct Entry {
    var isServed = false
    var modules: [ModuleStatus] = []
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// Streams that ended and whose files Envoy may still have open.
    var leaving: Set<String> = []
    var wasServed = false
  }

  private let state = Mutex(State())
  private let provider: any ModuleProvider
  private let gauge: Gauge
  private let handover: TimeAmount

  init(provider: any ModuleProvider, modules: Gauge, handover: Duration) {
    self.provider = provider
    gauge = modules
    self.handover = TimeAmount(handover)
  }

  var status: RelayStatus {
    state.withLock { state in
      RelayStatus(
        streams: state.entries.count, served: state.entries.values.count(where: \.isServed),
        wasServed: state.wasServed,
        modules: state.entries.sorted { $0.key < $1.key }.flatMap(\.value.modules))
    }
  }

  func joined(_ id: String) { state.withLock { $0.entries[id] = Entry() } }

  func set(served isServed: Bool, for id: String) {
    state.withLock { state in
      state.entries[id]?.isServed = isServed
      if isServed { state.wasServed = true }
    }
  }

  func set(modules: [ModuleStatus], for id: String) {
    state.withLock { $0.entries[id]?.modules = modules }
    countModules()
  }

  func set(inUse paths: Set<String>, for id: String) {
    provider.setInUse(paths, by: Self.user(id))
  }

  /// Whether files of a stream that ended are kept.
  var isHandingOver: Bool { state.withLock { !$0.leaving.isEmpty } }

  /// A stream has all that it asked for: what a former Envoy had is of no use any more.
  func endHandover() {
    let left = state.withLock { state in
      let left = state.leaving
      state.leaving = []
      return left
    }
    for id in left { provider.setInUse([], by: Self.user(id)) }
  }

  func left(_ id: String, on loop: any EventLoop) {
    state.withLock { state in
      state.entries[id] = nil
      state.leaving.insert(id)
    }
    countModules()
    loop.scheduleTask(in: handover) { [self] in
      if state.withLock({ $0.leaving.remove(id) }) != nil {
        provider.setInUse([], by: Self.user(id))
      }
    }
  }

  private static func user(_ id: String) -> String { "stream \(id)" }

  /// Plugins that no stream needs any more disappear.
  private func countModules() {
    gauge.replace(
      status.modules.reduce(into: [:]) { series, module in
        series[[module.key.plugin, module.phase.rawValue], default: 0] += 1
      })
  }
}
