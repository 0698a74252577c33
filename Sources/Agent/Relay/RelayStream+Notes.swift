// SPDX-License-Identifier: Apache-2.0

import Logging
import MeshModel
import Prometheus
import WasmModules
import XDS

extension RelayStream {
  /// Counts and logs what happened.
  func tell(_ note: RelayNote, _ relay: ADSRelay) {
    switch note {
    case .converted(let result, let duration):
      relay.metrics.conversions.increment(result.rawValue)
      relay.metrics.conversionTime.observe(duration / .milliseconds(1))
    case .fetched(let plugin): relay.metrics.fetches.increment(plugin, "success")
    case .fetchFailed(let failure):
      relay.metrics.fetches.increment(failure.plugin, failure.error.kind.rawValue)
      relay.logger.warning(
        "fetching a Wasm module failed",
        metadata: [
          "plugin": "\(failure.plugin)", "url": "\(failure.url)",
          "resource": "\(failure.resource)", "attempt": "\(failure.attempt)",
          "error": "\(failure.error)", "nextTry": "\(failure.retryAfter.inMilliseconds)",
        ])
    case .refused(let resource, let reason):
      relay.logger.warning(
        "refused a resource", metadata: ["resource": "\(resource)", "reason": "\(reason)"])
    case .rejected(let rejection):
      relay.metrics.rejections.increment(rejection.typeURL.rawValue)
      relay.logger.warning(
        "proxy rejected resources",
        metadata: [
          "stream": "\(id)", "type": "\(rejection.typeURL)",
          "resources": "\(rejection.resources.joined(separator: ", "))",
          "reason": "\(rejection.reason)",
        ])
    case .modules(let statuses): relay.streams.set(modules: statuses, for: id)
    }
  }
}
