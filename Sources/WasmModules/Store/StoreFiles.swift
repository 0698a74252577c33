// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The directory of a module library, and all that changes it.
///
///     DIR/modules/<sha256 of the content>.wasm   0644, complete and never written again
///     DIR/modules/.incoming-…                    a download that goes on
///     DIR/index.json                             0600: its URLs may hold credentials
///     DIR/.index-…                               an index that is being written
///
/// A name appears by rename(2) after fsync(2) of what it names, and the directory is synced after
/// that: at any moment the store is whole, with or without the newest. One process has a directory.
struct StoreFiles: Sendable {
  let directory: String
  /// Asked before each step; an errno makes the step fail with it.
  let onStep: @Sendable (StoreStep) -> Int32?

  var modules: String { directory + "/modules" }
  var index: String { directory + "/index.json" }

  func path(of module: ModuleDigest) -> String { "\(modules)/\(module.hex).wasm" }

  /// The module that a file of this name is to hold; nil for other files.
  static func module(atPath path: some StringProtocol) -> ModuleDigest? {
    let name = path.split(separator: "/").last ?? ""
    guard name.hasSuffix(".wasm") else { return nil }
    return ModuleDigest(hex: name.dropLast(".wasm".count))
  }

  /// Makes the directories that are missing.
  func prepare() throws(StoreFailure) {
    var path = ""
    for part in modules.split(separator: "/") {
      path += path.isEmpty && !modules.hasPrefix("/") ? "\(part)" : "/\(part)"
      if mkdir(path, 0o755) == 0 {
        // Whatever the umask: Envoy may run as another user.
        _ = chmod(path, 0o755)
      } else if errno != EEXIST {
        throw StoreFailure(path: path, code: errno)
      }
    }
  }

  /// The names in a directory; none if it cannot be read.
  func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes what a process left that ended while it wrote.
  func removeLeftovers() throws(StoreFailure) {
    for name in names(in: modules) where name.hasPrefix(".incoming-") {
      try remove("\(modules)/\(name)")
    }
    for name in names(in: directory) where name.hasPrefix(".index-") {
      try remove("\(directory)/\(name)")
    }
  }

  /// Opens a new file for writing; makes the directory anew if it was taken away.
  func create(_ path: String, mode: mode_t, _ step: StoreStep) throws(StoreFailure) -> CInt {
    try before(step, path)
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
    var file = open(path, flags, mode)
    if file < 0, errno == ENOENT {
      try prepare()
      file = open(path, flags, mode)
    }
    guard file >= 0 else { throw StoreFailure(path: path, code: errno) }
    _ = fchmod(file, mode)
    return file
  }

  func write(
    _ bytes: UnsafeRawBufferPointer, to file: CInt, _ path: String, _ step: StoreStep
  ) throws(StoreFailure) {
    try before(step, path)
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(file, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw StoreFailure(path: path, code: errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  func sync(_ file: CInt, _ path: String, _ step: StoreStep) throws(StoreFailure) {
    try before(step, path)
    guard fsync(file) == 0 else { throw StoreFailure(path: path, code: errno) }
  }

  func rename(_ path: String, to name: String, _ step: StoreStep) throws(StoreFailure) {
    try before(step, path)
    guard Glibc.rename(path, name) == 0 else { throw StoreFailure(path: path, code: errno) }
  }

  func syncDirectory(_ path: String, _ step: StoreStep) throws(StoreFailure) {
    try before(step, path)
    let file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw StoreFailure(path: path, code: errno) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw StoreFailure(path: path, code: errno) }
  }

  /// Removes a file; one that is not there is removed already.
  func remove(_ path: String) throws(StoreFailure) {
    try before(.remove, path)
    guard unlink(path) == 0 || errno == ENOENT else {
      throw StoreFailure(path: path, code: errno)
    }
  }

  /// Puts an index in the place of the former one.
  func replaceIndex(_ bytes: [UInt8]) throws(StoreFailure) {
    let path = "\(directory)/.index-\(getpid())"
    _ = unlink(path)
    let file = try create(path, mode: 0o600, .createIndex)
    defer { close(file) }
    do throws(StoreFailure) {
      try bytes.withUnsafeBufferPointer { (bytes) throws(StoreFailure) in
        try write(UnsafeRawBufferPointer(bytes), to: file, path, .writeIndex)
      }
      try sync(file, path, .syncIndex)
      try rename(path, to: index, .renameIndex)
    } catch {
      try? remove(path)
      throw error
    }
    try syncDirectory(directory, .syncDirectory)
  }

  /// Reads a file in pieces, until `body` returns false.
  func read(
    _ path: String, _ body: (UnsafeRawBufferPointer) -> Bool
  ) throws(StoreFailure) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw StoreFailure(path: path, code: errno) }
    defer { close(file) }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = Glibc.read(file, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw StoreFailure(path: path, code: errno) }
      guard count > 0, body(UnsafeRawBufferPointer(rebasing: piece[..<count])) else { return }
    }
  }

  /// The digest of what a file holds now.
  func digest(of path: String) throws(StoreFailure) -> ModuleDigest {
    var hasher = ModuleDigest.Hasher()
    try read(path) { bytes in
      hasher.update(bytes)
      return true
    }
    return hasher.digest
  }

  private func before(_ step: StoreStep, _ path: String) throws(StoreFailure) {
    if let code = onStep(step) { throw StoreFailure(path: path, code: code) }
  }
}
