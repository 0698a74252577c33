// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging
import ServiceLifecycle
import Synchronization

/// The Wasm modules of this machine: each fetched once, verified, kept, and never pulled away from
/// under an Envoy.
///
/// Readers see an index in memory; files and index change in one piece of work on the `Disk`. `run`
/// owns the downloads, so they outlive whoever asked.
package final class ModuleLibrary: ModuleProvider, Service {
  struct State: Sendable {
    var index: ModuleIndex
    /// Whether the index on disk is older.
    var isDirty = false
    var users: [String: Set<ModuleDigest>] = [:]
    /// For each key one that runs and at most one that waits for it, in this order.
    var flights: [Flight.Key: [Flight]] = [:]
    /// Contents that a flight downloads now, and the flights that wait to share them.
    var downloads: [ModuleIndex.Version: [CheckedContinuation<Void, Never>]] = [:]
    var lastNumber = 0
    var isClosed = false

    var inUse: Set<ModuleDigest> { users.values.reduce(into: []) { $0.formUnion($1) } }

    mutating func nextNumber() -> Int {
      lastNumber += 1
      return lastNumber
    }
  }

  let settings: Settings
  let source: any ModuleSource
  let clock: any Clock<Duration>
  let now: @Sendable () -> Int64
  let logger: Logger
  let onEvent: @Sendable (ModuleEvent) -> Void
  let files: StoreFiles
  let disk: Disk
  let state: Mutex<State>
  let salt: String
  let (launches, launch) = AsyncStream.makeStream(of: Flight.Key.self)
  /// Something changed that a restart should know, and nobody waits for it.
  let (changes, change) = AsyncStream.makeStream(
    of: Void.self, bufferingPolicy: .bufferingNewest(1))

  /// Opens the directory, without checking what is in it; `run` does, and `module(for:)` on demand.
  ///
  /// It opens whatever it finds: what cannot be read is a warning, and is fetched again.
  ///
  /// - Parameters:
  ///   - settings: what the operator decided.
  ///   - source: makes the downloads.
  ///   - logger: hears what went wrong and healed.
  ///   - clock: of the purges.
  ///   - now: seconds since 1970; times of last use are compared with it across restarts.
  ///   - onStep: asked before each change of the disk; an errno makes it fail with that.
  ///   - onEvent: called on any thread, outside of locks.
  package init(
    _ settings: Settings, source: any ModuleSource, logger: Logger,
    clock: any Clock<Duration> = ContinuousClock(),
    now: @escaping @Sendable () -> Int64 = { Int64(time(nil)) },
    onStep: @escaping @Sendable (StoreStep) -> Int32? = { _ in nil },
    onEvent: @escaping @Sendable (ModuleEvent) -> Void = { _ in }
  ) {
    self.settings = settings
    self.source = source
    self.clock = clock
    self.now = now
    self.logger = logger
    self.onEvent = onEvent
    files = StoreFiles(
      directory: settings.directory, onStep: settings.crashAt.map(Self.crash) ?? onStep)
    disk = Disk(files)
    let index = Self.open(files, at: now(), logger)
    salt = index.salt
    state = Mutex(State(index: index))
  }

  deinit {
    launch.finish()
    change.finish()
  }

  package func cached(_ request: ModuleRequest) -> Module? {
    guard let lookup = try? ModuleLookup(request, salt: salt),
      case .checked(let module) = look(for: lookup)
    else { return nil }
    onEvent(.lookup(isHit: true))
    return module
  }

  package func module(for request: ModuleRequest) async throws(ModuleError) -> Module {
    let lookup = try ModuleLookup(request, salt: salt)
    if let module = await checked({ $0.find(lookup) }, for: lookup.plugin) {
      onEvent(.lookup(isHit: true))
      return module
    }
    onEvent(.lookup(isHit: false))
    do { return try await fetched(lookup, request) } catch {
      // Whoever is told that it failed asks for the last good one, which may not be checked yet.
      _ = await checked { $0.lastGood[lookup.plugin] }
      throw error
    }
  }

  package func lastGood(of plugin: String) -> Module? {
    guard case .checked(let module) = look(find: { $0.lastGood[plugin] }) else { return nil }
    return module
  }

  package func setInUse(_ modules: Set<String>, by user: String) {
    let time = now()
    state.withLock { state in
      let held = Set(modules.compactMap { StoreFiles.module(atPath: $0) })
      // What is let go was in use until now.
      for content in held.union(state.users[user] ?? []) {
        state.index.held[content]?.lastUse = time
      }
      state.users[user] = held.isEmpty ? nil : held
      state.isDirty = true
    }
  }

  /// All modules on disk, by path.
  package func holdings() -> [Holding] {
    state.withLock { state in
      let plugins = Dictionary(grouping: state.index.lastGood) { $0.value.content }
      return state.index.held.map { content, held in
        Holding(
          path: files.path(of: content), bytes: held.size, lastUse: held.lastUse,
          isChecked: held.checked != nil,
          users: state.users.filter { $0.value.contains(content) }.keys.sorted(),
          plugins: (plugins[content] ?? []).map(\.key).sorted())
      }
    }.sorted { $0.path < $1.path }
  }
}

/// Looking into the index, and at the file behind it.
extension ModuleLibrary {
  enum Look {
    case missing
    /// There is a file whose bytes must be compared with its name first.
    case unchecked(ModuleIndex.Found)
    case checked(Module)
  }

  func look(for lookup: ModuleLookup) -> Look {
    look(for: lookup.plugin) { $0.find(lookup) }
  }

  /// Looks for a module.
  ///
  /// - Parameters:
  ///   - plugin: gets it; nil if it stays with what it got last.
  ///   - find: what is looked for.
  /// - Returns: whether it is there, and may be served.
  func look(for plugin: String? = nil, find: (ModuleIndex) -> ModuleIndex.Found?) -> Look {
    let time = now()
    guard
      let (found, checked) = state.withLock({ state in
        find(state.index).map { found in
          let checked = state.index.held[found.content]?.checked
          // From here on it is too recent to be deleted.
          if checked != nil { state.index.held[found.content]?.lastUse = time }
          return (found, checked)
        }
      })
    else { return .missing }
    // A file that somebody changed or removed is no hit. The kernel answers from memory.
    guard let checked, FileStamp(of: files.path(of: found.content)) == checked else {
      return .unchecked(found)
    }
    let isNews = state.withLock { state in
      state.isDirty = true
      guard let plugin else { return false }
      return state.index.use(found, by: plugin, at: time)
    }
    if isNews { change.yield() }
    return .checked(module(found))
  }

  func module(_ found: ModuleIndex.Found) -> Module {
    Module(
      path: files.path(of: found.content), digest: found.content, checksum: found.checksum)
  }

  /// Looks for a module, and checks it if it was not.
  func checked(
    _ find: (ModuleIndex) -> ModuleIndex.Found?, for plugin: String? = nil
  ) async -> Module? {
    while true {
      switch look(for: plugin, find: find) {
      case .missing: return nil
      case .checked(let module): return module
      // Afterwards it is checked or forgotten, unless the file changes all the time.
      case .unchecked(let found): await check(found.content)
      }
    }
  }
}
