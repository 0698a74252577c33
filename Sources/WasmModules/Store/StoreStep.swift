// SPDX-License-Identifier: Apache-2.0

/// A change of the disk, in the order in which a download makes them.
///
/// After each of them a machine may stop. The first five bring the module: its name appears only once
/// its bytes are safe. The next five bring the index, which only says what the modules are known as.
package enum StoreStep: String, CaseIterable, Hashable, Sendable {
  case createModule = "create-module"
  /// Once for each piece.
  case writeModule = "write-module"
  case syncModule = "sync-module"
  case renameModule = "rename-module"
  case syncModules = "sync-modules"
  case createIndex = "create-index"
  case writeIndex = "write-index"
  case syncIndex = "sync-index"
  case renameIndex = "rename-index"
  case syncDirectory = "sync-directory"
  /// Of a temporary file, a module that expired, or one that is corrupt.
  case remove
}

/// Where a process is to end, so that a test can show that the store survives it.
///
/// Written `STEP` or `STEP:N`: before the first, or the Nth, time that the step is made.
package struct CrashPoint: Hashable, Sendable {
  package var step: StoreStep
  /// From 1.
  package var occurrence: Int

  package init(_ step: StoreStep, occurrence: Int = 1) {
    self.step = step
    self.occurrence = occurrence
  }

  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let step = StoreStep(rawValue: String(parts[0])) else {
      return nil
    }
    guard parts.count == 2 else {
      self.init(step)
      return
    }
    guard let occurrence = Int(parts[1]), occurrence > 0 else { return nil }
    self.init(step, occurrence: occurrence)
  }
}
