// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// The agent's directory: made if it is not there, and used by one agent at a time.
struct DataDirectory: ~Copyable {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Of Unix socket paths in the kernel's `sockaddr_un`, with the zero at the end.
  private static let socketPathLimit = 108

  private let lock: Int32

  init(_ settings: Settings) throws {
    let path = settings.dataDirectory
    guard settings.socketPath.utf8.count < Self.socketPathLimit else {
      throw Failure(
        description: "the path of the socket \(settings.socketPath) is longer than "
          + "\(Self.socketPathLimit - 1) bytes; choose another --data-dir")
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw Failure(description: "cannot make \(path): \(error.localizedDescription)")
    }
    let file = open("\(path)/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw Failure(description: "cannot write to \(path): \(String(cString: strerror(errno)))")
    }
    // The kernel lets go of it when this process ends, however it ends.
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw Failure(
        description: "another agent uses \(path); each proxy needs a --data-dir of its own")
    }
    lock = file
  }

  deinit { close(lock) }

  /// Writes a file so that nobody reads half of it.
  func write(_ text: String, to path: String) throws {
    do {
      try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw Failure(description: "cannot write \(path): \(error.localizedDescription)")
    }
  }
}
