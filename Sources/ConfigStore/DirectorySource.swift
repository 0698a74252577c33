// SPDX-License-Identifier: Apache-2.0

package import Manifests

/// Manifests on disk as a source of configuration.
///
/// Events of the file system and a slow re-scan are two producers of one trigger; the loop takes any
/// sequence of triggers, so a test pulls them itself.
package struct DirectorySource: ConfigSource {
  package let name: String
  private let roots: [String]
  private let reader: ManifestReader
  private let fileSystem: any FileSystem
  private let rescanInterval: Duration
  /// How long a file may be missing or cut short before that is believed: a few times what an editor
  /// takes between moving the old file away and writing the new one.
  private let settlingTime: Duration
  private let clock: any Clock<Duration>

  package init(
    roots: [String], reader: ManifestReader = ManifestReader(),
    fileSystem: any FileSystem = POSIXFileSystem(), rescanInterval: Duration = .seconds(30),
    settlingTime: Duration = .milliseconds(100), clock: any Clock<Duration> = ContinuousClock()
  ) {
    name = "directory " + roots.joined(separator: " ")
    self.roots = roots
    self.reader = reader
    self.fileSystem = fileSystem
    self.rescanInterval = rescanInterval
    self.settlingTime = settlingTime
    self.clock = clock
  }

  package func run(_ deliver: @Sendable ([ConfigEvent]) async -> Void) async throws {
    let slot = TriggerSlot()
    let watch = DirectoryWatch(roots: roots) { slot.fireChanged() }
    defer { watch.close() }
    try await withThrowingTaskGroup { group in
      group.addTask { [clock, rescanInterval] in
        while true {
          try await clock.sleep(for: rescanInterval)
          slot.fireChanged()
        }
      }
      // The group cannot be reached from a closure, so the delays have a task that starts them.
      let (delays, delay) = AsyncStream.makeStream(
        of: Int.self, bufferingPolicy: .bufferingNewest(1))
      group.addTask { [clock, settlingTime] in
        for await scan in delays {
          try await clock.sleep(for: settlingTime)
          slot.fireSettled(scan: scan)
        }
      }
      try await run(triggers: slot, deliver) { outcome in
        if outcome.needsSettling { delay.yield(outcome.scan) }
        // What changed between the scan and the beginning of a watch would go unseen.
        if watch.update(outcome.directories) { slot.fireChanged() }
      }
      group.cancelAll()
    }
  }

  /// Scans once for each trigger, until the triggers end or the task is cancelled.
  ///
  /// - Parameters:
  ///   - triggers: the first scan waits for the first of them.
  ///   - deliver: takes the events of a scan, unless there are none.
  ///   - afterScan: sees what every scan found, before its events are delivered.
  /// - Throws: what the triggers throw.
  package func run<Triggers: AsyncSequence>(
    triggers: Triggers, _ deliver: @Sendable ([ConfigEvent]) async -> Void,
    afterScan: (DirectoryIndex.Outcome) -> Void = { _ in }
  ) async throws where Triggers.Element == DirectoryIndex.Trigger {
    var index = DirectoryIndex(roots: roots, reader: reader)
    for try await trigger in triggers {
      let outcome = index.scan(fileSystem, trigger: trigger)
      afterScan(outcome)
      if !outcome.events.isEmpty { await deliver(outcome.events) }
    }
  }
}
