// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What tells cheaply whether a file is still the one whose bytes were checked.
struct FileStamp: Hashable, Sendable {
  var size: Int
  var inode: UInt64
  /// Nanoseconds since 1970.
  var modified: Int64

  /// Of a regular file; nil if there is none.
  init?(of path: String) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    size = Int(status.st_size)
    inode = UInt64(status.st_ino)
    modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
  }
}
