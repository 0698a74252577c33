// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The file system of the machine.
package struct POSIXFileSystem: FileSystem {
  package init() {}

  package func names(in directory: String) throws(FileSystemError) -> [String] {
    guard let stream = opendir(directory) else { throw Self.lastError() }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  package func status(of path: String) throws(FileSystemError) -> FileStatus {
    var status = stat()
    guard stat(path, &status) == 0 else { throw Self.lastError() }
    return Self.status(status)
  }

  package func contents(of path: String, limit: Int) throws(FileSystemError) -> [UInt8] {
    // A named pipe would block without O_NONBLOCK; it is refused below.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Self.lastError() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.lastError() }
    guard Self.status(status).kind == .file else { throw .failed("is not a regular file") }
    return try Self.readAll(descriptor, expected: Int(status.st_size), limit: limit)
  }

  /// All bytes of standard input.
  package func standardInput(limit: Int) throws(FileSystemError) -> [UInt8] {
    try Self.readAll(STDIN_FILENO, expected: 0, limit: limit)
  }

  /// Reads to the end, never more than the limit, whatever the size was said to be.
  private static func readAll(
    _ descriptor: Int32, expected: Int, limit: Int
  ) throws(FileSystemError) -> [UInt8] {
    guard expected <= limit else { throw .tooLarge(bytes: expected) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(expected)
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw lastError()
      }
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else { throw .tooLarge(bytes: bytes.count) }
    }
  }

  private static func status(_ status: stat) -> FileStatus {
    let kind: FileStatus.Kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      default: .other
      }
    // The members of timespec belong to different modules from build to build, and so cannot be
    // named under MemberImportVisibility: two 64-bit words, seconds and nanoseconds.
    func nanoseconds(_ time: timespec) -> Int64 {
      withUnsafeBytes(of: time) { time in
        time.load(as: Int64.self) * 1_000_000_000 + time.load(fromByteOffset: 8, as: Int64.self)
      }
    }
    return FileStatus(
      kind: kind, size: Int(status.st_size),
      signature: FileSignature(
        device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int(status.st_size),
        modified: nanoseconds(status.st_mtim), changed: nanoseconds(status.st_ctim)))
  }

  private static func lastError() -> FileSystemError {
    let code = errno
    if code == ENOENT || code == ENOTDIR { return .notFound }
    return .failed(String(cString: strerror(code)).lowercased())
  }
}
