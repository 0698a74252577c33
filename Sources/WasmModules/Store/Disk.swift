// SPDX-License-Identifier: Apache-2.0

/// The way to the files of a library: one piece of work after the other.
///
/// A piece is not interrupted, so what it does to files and to the index in memory belongs together.
actor Disk {
  private let executor = DiskExecutor()
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private let files: StoreFiles

  init(_ files: StoreFiles) { self.files = files }

  func perform<Value: Sendable, Failure: Error>(
    _ work: @Sendable (StoreFiles) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try work(files)
  }
}
