// SPDX-License-Identifier: Apache-2.0

import MeshModel
package import WasmModules
package import XDS

/// What the owner of a `RelayState` has to do, besides pulling messages.
package enum RelayAction: Hashable, Sendable {
  /// Fetch a module and hand in the result by `complete`.
  case start(ModuleWork)
  /// Nobody waits for these any more.
  case cancel([ModuleWork.ID])
  /// The files that Envoy has or may have in use now.
  case use(Set<String>)
  /// Count and log it.
  case note(RelayNote)
}

/// What happened, for metrics and logs.
package enum RelayNote: Hashable, Sendable {
  /// A module that was not had in one round of retries.
  package struct Failure: Hashable, Sendable {
    package var plugin: String
    package var url: String
    package var resource: String
    package var attempt: Int
    package var error: ModuleError
    package var retryAfter: Duration
  }

  /// A resource was looked at for the first time, or its modules came, or did not.
  case converted(WasmConversionResult, after: Duration)
  case fetched(plugin: String)
  case fetchFailed(Failure)
  /// The agent refused a resource for what it is.
  case refused(resource: String, reason: String)
  /// Envoy did.
  case rejected(Rejection)
  /// The state of all modules of the stream, because it changed.
  case modules([ModuleStatus])
}
