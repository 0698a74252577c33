// SPDX-License-Identifier: Apache-2.0

/// What reading manifests asks of a file system; paths are separated by `/`.
package protocol FileSystem: Sendable {
  /// The names in a directory, in any order, without `.` and `..`.
  func names(in directory: String) throws(FileSystemError) -> [String]

  /// What a path leads to, through symbolic links.
  func status(of path: String) throws(FileSystemError) -> FileStatus

  /// The bytes of a file; `tooLarge` where there are more than `limit`.
  func contents(of path: String, limit: Int) throws(FileSystemError) -> [UInt8]
}

/// What is known of a file without reading it.
package struct FileStatus: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case file
    case directory
    case other
  }
  package var kind: Kind
  /// In bytes.
  package var size: Int
  /// Differs whenever the file was written or replaced: device, inode, size and time of change.
  package var signature: FileSignature

  package init(kind: Kind, size: Int, signature: FileSignature) {
    self.kind = kind
    self.size = size
    self.signature = signature
  }
}

package struct FileSignature: Hashable, Sendable {
  package var device: UInt64
  package var inode: UInt64
  package var size: Int
  /// Nanoseconds since the epoch.
  package var modified: Int64
  /// The time of the last change of the inode, which no program can set back.
  package var changed: Int64

  package init(device: UInt64, inode: UInt64, size: Int, modified: Int64, changed: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
  }
}

package enum FileSystemError: Error, Hashable, Sendable {
  case notFound
  case tooLarge(bytes: Int)
  /// The system's own words.
  case failed(String)

  package var reason: String {
    switch self {
    case .notFound: "no such file or directory"
    case .tooLarge(let bytes): "the file has \(bytes) bytes"
    case .failed(let reason): reason
    }
  }
}
