// SPDX-License-Identifier: Apache-2.0

import Manifests
import Synchronization

/// Files in memory, whose every write has a new signature; directories are made by what is in them.
final class InMemoryFileSystem: FileSystem {
  private struct Entry {
    var text: [UInt8]
    var signature: FileSignature
  }
  private struct State {
    var files: [String: Entry] = [:]
    var links: [String: String] = [:]
    var failures: [String: FileSystemError] = [:]
    var writes: Int64 = 0
    var reads: [String] = []
  }
  private let state = Mutex(State())

  /// The files whose contents were asked for since the last call.
  func takeReads() -> [String] {
    state.withLock { state in
      defer { state.reads = [] }
      return state.reads
    }
  }

  func write(_ path: String, _ text: String) {
    state.withLock { state in
      state.writes += 1
      state.files[path] = Entry(
        text: Array(text.utf8),
        signature: FileSignature(
          device: 1, inode: UInt64(state.writes), size: text.utf8.count, modified: state.writes,
          changed: state.writes))
    }
  }

  func remove(_ path: String) { state.withLock { $0.files[path] = nil } }

  func move(_ path: String, to new: String) {
    state.withLock { $0.files[new] = $0.files.removeValue(forKey: path) }
  }

  /// A symbolic link to a directory or a file.
  func link(_ path: String, to target: String) { state.withLock { $0.links[path] = target } }

  func fail(_ path: String, _ error: FileSystemError?) {
    state.withLock { $0.failures[path] = error }
  }

  private static func resolve(_ path: String, _ state: borrowing State) throws(FileSystemError)
    -> String
  {
    var resolved = path
    for _ in 0..<16 {
      let links = state.links
      guard
        let link = links.keys.filter({ resolved == $0 || resolved.hasPrefix($0 + "/") })
          .max(by: { $0.count < $1.count }), let target = links[link]
      else { return resolved }
      resolved = target + resolved.dropFirst(link.count)
    }
    throw .failed("too many levels of symbolic links")
  }

  func names(in directory: String) throws(FileSystemError) -> [String] {
    try state.withLock { (state) throws(FileSystemError) -> [String] in
      if let failure = state.failures[directory] { throw failure }
      let prefix = try Self.resolve(directory, state) + "/"
      return Set(
        (Array(state.files.keys) + Array(state.links.keys)).filter { $0.hasPrefix(prefix) }
          .compactMap { $0.dropFirst(prefix.count).split(separator: "/").first.map(String.init) }
      ).sorted()
    }
  }

  func status(of path: String) throws(FileSystemError) -> FileStatus {
    try state.withLock { (state) throws(FileSystemError) -> FileStatus in
      if let failure = state.failures[path] { throw failure }
      let resolved = try Self.resolve(path, state)
      if let entry = state.files[resolved] {
        return FileStatus(kind: .file, size: entry.text.count, signature: entry.signature)
      }
      guard state.files.keys.contains(where: { $0.hasPrefix(resolved + "/") }) else {
        throw .notFound
      }
      let inode = UInt64(truncatingIfNeeded: resolved.hashValue)
      return FileStatus(
        kind: .directory, size: 0,
        signature: FileSignature(device: 1, inode: inode, size: 0, modified: 0, changed: 0))
    }
  }

  func contents(of path: String, limit: Int) throws(FileSystemError) -> [UInt8] {
    try state.withLock { (state) throws(FileSystemError) -> [UInt8] in
      state.reads.append(path)
      if let failure = state.failures[path] { throw failure }
      guard let entry = state.files[try Self.resolve(path, state)] else { throw .notFound }
      guard entry.text.count <= limit else { throw .tooLarge(bytes: entry.text.count) }
      return entry.text
    }
  }
}
