// SPDX-License-Identifier: Apache-2.0

import AgentAPI
package import MeshModel
import SwiftProtobuf

/// How far the supply of one module to one resource has come, as skiffd is told it.
package struct ModuleStatus: Hashable, Sendable {
  package struct Key: Hashable, Sendable {
    package var typeURL: TypeURL
    package var resource: String
    package var plugin: String
    package var url: String
  }

  package var key: Key
  /// Of the resource as the server sent it.
  package var resourceVersion: ContentHash
  package var phase: ModulePhase
  /// In hexadecimal; nil until the module is there.
  package var sha256: String?
  /// Whether the resource counts as refused.
  package var isRefused = false
  /// Rounds that failed.
  package var attempts = 0
  package var nextAttempt: ContinuousClock.Instant?
  package var error: String?
  /// What Envoy has instead: `allow`, `deny` or `keep-last`.
  package var substitute: String?
}

/// The phases of skiff.agent.v1.WasmModuleStatus.
package enum ModulePhase: String, CaseIterable, Sendable {
  case fetching, ready, failed, fallback, gone
}

extension Skiff_Agent_V1_WasmModuleReport {
  /// A report of statuses; `unixTime` is the time since 1970 of an instant.
  init(_ statuses: [ModuleStatus], unixTime: (ContinuousClock.Instant) -> Duration) {
    self.init()
    modules = statuses.map { status in
      .with {
        $0.typeURL = status.key.typeURL.rawValue
        $0.resource = status.key.resource
        $0.resourceVersion = "\(status.resourceVersion)"
        $0.plugin = status.key.plugin
        $0.url = status.key.url
        $0.sha256 = status.sha256 ?? ""
        $0.phase = .init(status.phase)
        $0.refused = status.isRefused
        $0.attempts = UInt32(clamping: status.attempts)
        if let next = status.nextAttempt.map(unixTime) {
          $0.nextAttempt.seconds = next.components.seconds
          $0.nextAttempt.nanos = Int32(next.components.attoseconds / 1_000_000_000)
        }
        $0.error = status.error ?? ""
        $0.fallback = status.substitute ?? ""
      }
    }
  }
}

extension Skiff_Agent_V1_WasmModuleStatus.Phase {
  fileprivate init(_ phase: ModulePhase) {
    self =
      switch phase {
      case .fetching: .fetching
      case .ready: .ready
      case .failed: .failed
      case .fallback: .fallback
      case .gone: .gone
      }
  }
}
