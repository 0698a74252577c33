// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Registries that were found to speak plain http, so that TLS is not tried again each time.
///
/// Only those that may do so get in; see `ImagePull`.
final class PlainRegistries: Sendable {
  private let registries = Mutex<Set<HTTPURL>>([])

  func contains(_ registry: HTTPURL) -> Bool { registries.withLock { $0.contains(registry) } }

  func insert(_ registry: HTTPURL) { registries.withLock { _ = $0.insert(registry) } }

  /// Forgets one, because it no longer answers that way.
  func remove(_ registry: HTTPURL) { registries.withLock { _ = $0.remove(registry) } }
}
