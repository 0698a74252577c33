// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Why an address cannot be listened on, with the flag that chooses another.
package struct ListenFailure: Error, CustomStringConvertible {
  package let description: String

  /// Runs what binds an address; an error of the system becomes a sentence with the remedy.
  package static func explaining<Result: Sendable>(
    _ address: HostPort, _ flag: String, _ bind: () async throws -> Result
  ) async throws -> Result {
    do {
      return try await bind()
    } catch let error as IOError {
      throw Self(
        description: "cannot listen on \(address): \(error); choose another with \(flag)")
    }
  }
}
