// SPDX-License-Identifier: Apache-2.0

import Glibc
import JSON
import Logging
import ServiceLifecycle
import Synchronization

/// Opening, checking, saving and purging.
extension ModuleLibrary {
  /// Downloads, checks and purges until the task is cancelled or the service is shut down.
  ///
  /// Runs once. Requests that come before it wait for it; those that come after it fail.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await self.scrub() }
        group.addTask {
          while (try? await self.clock.sleep(for: self.settings.purgeInterval)) != nil {
            await self.purge()
          }
        }
        group.addTask {
          for await _ in self.changes { await self.saveIndex() }
        }
        for await key in self.launches {
          group.addTask { await self.fly(key) }
        }
      }
    }
    close()
    await saveIndex()
  }

  /// Deletes what is too old and too much, and saves the index.
  package func purge() async {
    await delete(olderThan: now() - settings.expiry.components.seconds)
    await saveIndex()
  }

  /// Deletes what is too much.
  func makeRoom() async {
    await delete(olderThan: .min)
    let (bytes, limit) = (state.withLock { $0.index.bytes }, settings.maximumBytes)
    if bytes > limit {
      logger.warning(
        "the module cache is over its size limit, for all of it is in use or was just asked for",
        metadata: ["bytes": "\(bytes)", "limit": "\(limit)"])
    }
  }

  private func delete(olderThan expired: Int64) async {
    await disk.perform { files in
      let time = now()
      let excess = state.withLock { state in
        let inUse = state.inUse
        for (content, held) in state.index.held {
          // A clock that was set back must not keep a module for ever.
          if inUse.contains(content) || held.lastUse > time {
            state.index.held[content]?.lastUse = time
          }
        }
        let excess = state.index.excess(
          over: settings.maximumBytes, keeping: inUse, expired: expired,
          recent: time - settings.handover.components.seconds)
        for content in excess { state.index.remove(content) }
        state.isDirty = true
        return excess
      }
      for content in excess {
        do throws(StoreFailure) { try files.remove(files.path(of: content)) } catch {
          logger.warning("cannot delete a module", metadata: ["error": "\(error)"])
        }
      }
    }
    reportHoldings()
  }

  /// Compares all files with their names, those first that may be needed instead of a new one.
  func scrub() async {
    let contents = state.withLock { state in
      let lastGood = Set(state.index.lastGood.values.map(\.content))
      return state.index.held.filter { $0.value.checked == nil }.keys
        .sorted {
          (lastGood.contains($0) ? 0 : 1, $0.hex) < (lastGood.contains($1) ? 0 : 1, $1.hex)
        }
    }
    for content in contents where !Task.isCancelled { await check(content) }
    reportHoldings()
  }

  /// Compares a file with its name; afterwards it is checked or forgotten.
  func check(_ content: ModuleDigest) async {
    let isGone = await disk.perform { files in
      let path = files.path(of: content)
      let stamp = FileStamp(of: path)
      let isChecked = state.withLock { state in
        guard let held = state.index.held[content] else { return true }
        return stamp != nil && held.checked == stamp
      }
      if isChecked { return false }
      // The stamp is older than the bytes, so a change in between is seen the next time.
      if let stamp, (try? files.digest(of: path)) == content {
        state.withLock { state in
          state.index.held[content]?.checked = stamp
          state.index.held[content]?.size = stamp.size
        }
        return false
      }
      let isInUse = state.withLock { state in
        state.index.remove(content)
        state.isDirty = true
        return state.inUse.contains(content)
      }
      if stamp != nil {
        logger.warning("a module on disk is corrupt and is not used", metadata: ["path": "\(path)"])
        // An Envoy may open it again: a new download takes its place at once, a gap would not do.
        if !isInUse { try? files.remove(path) }
      }
      return true
    }
    if isGone {
      change.yield()
      reportHoldings()
    }
  }

  /// Brings the index on disk up to date; many who wait for that share a write.
  func saveIndex() async {
    await disk.perform { files in
      guard
        let json = state.withLock({ state -> JSONValue? in
          guard state.isDirty else { return nil }
          state.isDirty = false
          return state.index.json
        })
      else { return }
      do throws(StoreFailure) { try files.replaceIndex(json.bytes()) } catch {
        state.withLock { $0.isDirty = true }
        logger.warning(
          "cannot save the index of the module cache; modules may be fetched again after a restart",
          metadata: ["error": "\(error)"])
      }
    }
  }

  private func reportHoldings() {
    let (entries, bytes) = state.withLock { ($0.index.held.count, $0.index.bytes) }
    onEvent(.holds(entries: entries, bytes: bytes))
  }

  /// Reads what a former process left.
  static func open(_ files: StoreFiles, at time: Int64, _ logger: Logger) -> ModuleIndex {
    do throws(StoreFailure) {
      try files.prepare()
      try files.removeLeftovers()
    } catch {
      logger.warning("cannot prepare the module cache", metadata: ["error": "\(error)"])
    }
    var index = ModuleIndex(salt: String(UInt64.random(in: 0 ... .max), radix: 16))
    var bytes: [UInt8] = []
    do throws(StoreFailure) {
      try files.read(files.index) { piece in
        bytes += piece
        return true
      }
      if let read = (try? JSONValue(parsing: bytes)).flatMap(ModuleIndex.init) {
        index = read
      } else {
        logger.warning(
          "the index of the module cache cannot be read and is made anew",
          metadata: ["path": "\(files.index)"])
      }
    } catch  where error.code == ENOENT {
      // A new cache.
    } catch {
      logger.warning("cannot read the index of the module cache", metadata: ["error": "\(error)"])
    }
    var held: [ModuleDigest: ModuleIndex.Held] = [:]
    for name in files.names(in: files.modules) {
      guard let content = StoreFiles.module(atPath: name),
        let stamp = FileStamp(of: files.path(of: content))
      else { continue }
      // A file that the index does not know was stored just before a crash: http finds it by digest.
      held[content] = ModuleIndex.Held(
        size: stamp.size, lastUse: index.held[content]?.lastUse ?? time)
    }
    index.held = held
    index.dropDangling()
    return index
  }

  /// Ends the process at a step as a power cut would: nothing is flushed, nobody is asked.
  static func crash(_ point: CrashPoint) -> @Sendable (StoreStep) -> Int32? {
    let countdown = Countdown(point)
    return { step in
      if countdown.isOver(at: step) { _exit(9) }
      return nil
    }
  }

  private final class Countdown: Sendable {
    private let point: CrashPoint
    private let left: Mutex<Int>

    init(_ point: CrashPoint) {
      self.point = point
      left = Mutex(point.occurrence)
    }

    func isOver(at step: StoreStep) -> Bool {
      guard step == point.step else { return false }
      return left.withLock { left in
        left -= 1
        return left == 0
      }
    }
  }
}
