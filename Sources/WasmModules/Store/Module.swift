// SPDX-License-Identifier: Apache-2.0

/// A module on disk that was verified.
package struct Module: Hashable, Sendable {
  /// A file that everybody may read, for Envoy may run as another user.
  package var path: String
  /// Of the module's bytes; the path is made of it.
  package var digest: ModuleDigest
  /// What was compared with the configuration: an image's manifest digest, else `digest`.
  package var checksum: ModuleDigest

  package init(path: String, digest: ModuleDigest, checksum: ModuleDigest) {
    self.path = path
    self.digest = digest
    self.checksum = checksum
  }
}
