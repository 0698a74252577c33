// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore

/// A module on its way to the disk, under a temporary name.
///
/// Its bytes pass through to the file, so a download holds no more of them than its source does.
actor IncomingModule: ModuleSink {
  private let disk: Disk
  private let files: StoreFiles
  private let location: ModuleLocation
  private let path: String
  private var file: CInt?
  private var hasher = ModuleDigest.Hasher()
  private(set) var size = 0

  nonisolated var unownedExecutor: UnownedSerialExecutor { disk.unownedExecutor }

  /// Begins without touching the disk.
  ///
  /// - Parameters:
  ///   - location: what it is, for errors.
  ///   - number: unique in the process.
  ///   - files: where it goes.
  ///   - disk: on whose thread.
  init(_ location: ModuleLocation, number: Int, files: StoreFiles, disk: Disk) {
    self.disk = disk
    self.files = files
    self.location = location
    path = "\(files.modules)/.incoming-\(getpid())-\(number)"
  }

  deinit {
    if let file { close(file) }
  }

  func restart() throws(ModuleError) {
    discard()
    do { file = try files.create(path, mode: 0o644, .createModule) } catch {
      throw error.storing(location)
    }
  }

  func write(_ bytes: ByteBuffer) throws(ModuleError) {
    let result = bytes.withUnsafeReadableBytes { bytes in
      Result { () throws(ModuleError) in try write(bytes) }
    }
    try result.get()
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(ModuleError) {
    guard let file else {
      preconditionFailure("a module is written after its sink was restarted")
    }
    do { try files.write(bytes, to: file, path, .writeModule) } catch {
      throw error.storing(location)
    }
    hasher.update(bytes)
    size += bytes.count
  }

  /// Takes a file of this machine for the module.
  ///
  /// - Throws: that it cannot be read, or is no module: the store is open to every reader, the file
  ///   may not be.
  func copy(_ source: String) throws(ModuleError) -> ModuleDigest {
    try restart()
    var failure: ModuleError?
    do {
      try files.read(source) { bytes in
        do throws(ModuleError) {
          guard size > 0 || bytes.starts(with: [0x00, 0x61, 0x73, 0x6d]) else {
            throw ModuleError(.fetchFailure, "\(location) is not a Wasm module")
          }
          try write(bytes)
        } catch {
          failure = error
        }
        return failure == nil
      }
    } catch {
      throw ModuleError(.downloadFailure, "cannot read the module: \(error)")
    }
    if let failure { throw failure }
    guard size >= 8 else {
      throw ModuleError(.fetchFailure, "\(location) is not a Wasm module: it is too short")
    }
    return hasher.digest
  }

  /// Makes the module durable under its own name.
  ///
  /// - Parameters:
  ///   - isHeld: whether a checked file of this content is there already.
  ///   - stored: hears of it before anything else can happen to the file.
  /// - Returns: the digest of its bytes.
  /// - Throws: that the disk would not; the module is not there then.
  func commit(
    unless isHeld: @Sendable (ModuleDigest) -> Bool,
    stored: @Sendable (ModuleDigest, FileStamp) -> Void
  ) throws(ModuleError) -> ModuleDigest {
    guard let file else {
      throw ModuleError(.fetchFailure, "\(location) has no bytes")
    }
    let content = hasher.digest
    guard !isHeld(content) else {
      discard()
      return content
    }
    let name = files.path(of: content)
    do throws(StoreFailure) {
      try files.sync(file, path, .syncModule)
      close(file)
      self.file = nil
      try files.rename(path, to: name, .renameModule)
      try files.syncDirectory(files.modules, .syncModules)
      guard let stamp = FileStamp(of: name) else {
        throw StoreFailure(path: name, code: ENOENT)
      }
      stored(content, stamp)
    } catch {
      discard()
      throw error.storing(location)
    }
    return content
  }

  /// Forgets what was written.
  func discard() {
    if let file { close(file) }
    if file != nil || size > 0 { try? files.remove(path) }
    file = nil
    hasher = ModuleDigest.Hasher()
    size = 0
  }
}
