// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the kernel answered to a change of the disk.
package struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package var path: String
  /// An errno(3).
  package var code: Int32

  package var description: String { "\(path): \(String(cString: strerror(code)))" }

  /// The same for whoever asked for a module.
  ///
  /// All of these may pass by themselves or by an operator's hand, without a change of configuration.
  func storing(_ location: ModuleLocation) -> ModuleError {
    let remedy =
      switch code {
      case ENOSPC, EDQUOT: "; free space, or lower the size limit of the module cache"
      case EACCES, EPERM, EROFS: "; the agent's data directory must be writable"
      default: ""
      }
    return ModuleError(
      .fetchFailure, "cannot store the module of \(location): \(self)\(remedy)", isRetryable: true)
  }
}
