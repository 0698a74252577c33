// SPDX-License-Identifier: Apache-2.0
// Why a plugin cannot start, or a document cannot be read. The SDK logs the reason of a failed
// start as critical, so that it is in the proxy's log next to the proxy's own words.

struct PluginError: Error {
  let reason: String

  init(_ reason: String) {
    self.reason = reason
  }
}
