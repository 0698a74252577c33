// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Synchronization
import Testing
import WasmModules

/// A directory with a library in it that can be closed and opened again, by a clock that stands.
final class StoreRig: Sendable {
  let directory: String
  private let isOwner: Bool
  let source: ScriptedSource
  let clock = StoppedClock()
  let events = Log<ModuleEvent>()
  let warnings = Log<String>()
  let time = Mutex<Int64>(1_000_000)

  /// Begins with a directory that is not there yet, or with that of another rig.
  init(at directory: String? = nil, _ modules: [String: [UInt8]] = [:]) {
    self.directory = directory ?? NSTemporaryDirectory() + "skiff-store-\(UUID().uuidString)"
    isOwner = directory == nil
    source = ScriptedSource(modules)
  }

  deinit { if isOwner { try? FileManager.default.removeItem(atPath: directory) } }

  func pass(_ seconds: Int64) { time.withLock { $0 += seconds } }

  func open(
    onStep: @escaping @Sendable (StoreStep) -> Int32? = { _ in nil },
    _ change: (inout ModuleLibrary.Settings) -> Void = { _ in }
  ) -> ModuleLibrary {
    var settings = ModuleLibrary.Settings(directory: directory)
    change(&settings)
    var logger = Logger(label: "test")
    logger.handler = WarningLog(log: warnings)
    return ModuleLibrary(
      settings, source: source, logger: logger, clock: clock,
      now: { [self] in time.withLock { $0 } }, onStep: onStep,
      onEvent: { [events] in events.append($0) })
  }

  /// Runs a library as long as the body needs it.
  @discardableResult func run<Value: Sendable>(
    _ library: ModuleLibrary, _ body: (ModuleLibrary) async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await library.run() }
      let result: Result<Value, any Error>
      do { result = .success(try await body(library)) } catch { result = .failure(error) }
      group.cancelAll()
      try await group.waitForAll()
      return try result.get()
    }
  }

  /// Opens the directory, runs the library, closes it.
  @discardableResult func opened<Value: Sendable>(
    onStep: @escaping @Sendable (StoreStep) -> Int32? = { _ in nil },
    _ change: (inout ModuleLibrary.Settings) -> Void = { _ in },
    _ body: (ModuleLibrary) async throws -> Value
  ) async throws -> Value {
    try await run(open(onStep: onStep, change), body)
  }

  /// Waits until all that was found at opening has been checked.
  func scrubbed(_ library: ModuleLibrary) async {
    await events.wait { _ in library.holdings().allSatisfy(\.isChecked) }
  }

  /// The names of all files, hidden ones too.
  var files: [String] {
    (try? FileManager.default.subpathsOfDirectory(atPath: directory).sorted()) ?? []
  }

  /// The digests that the files of the store are named after.
  var stored: Set<ModuleDigest> {
    Set(
      files.compactMap {
        $0.hasSuffix(".wasm") ? ModuleDigest(hex: $0.dropLast(5).suffix(64)) : nil
      })
  }

  func path(_ bytes: [UInt8]) -> String {
    "\(directory)/modules/\(ModuleDigest.of(bytes).hex).wasm"
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// Checks what must be true of a store at any time: names tell contents, nothing is left over.
  ///
  /// While it is open, an index may be on its way.
  func expectWhole(
    isOpen: Bool = false, _ location: SourceLocation = #_sourceLocation
  ) throws {
    for file in files where file.contains("/") {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(file)"))
      #expect(
        file == "modules/\(ModuleDigest.of(bytes).hex).wasm", sourceLocation: location)
    }
    #expect(
      files.allSatisfy {
        $0.contains("/") || ["index.json", "modules"].contains($0)
          || isOpen && $0.hasPrefix(".index-")
      },
      sourceLocation: location)
  }
}

/// What happened so far, and waiting for what is to happen.
final class Log<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var waiters: [(@Sendable ([Element]) -> Bool, CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())

  var elements: [Element] { state.withLock { $0.elements } }

  func append(_ element: Element) {
    let (elements, waiters) = state.withLock { state in
      state.elements.append(element)
      defer { state.waiters = [] }
      return (state.elements, state.waiters)
    }
    for waiter in waiters {
      if waiter.0(elements) { waiter.1.resume() } else { add(waiter.0, waiter.1) }
    }
  }

  func wait(until condition: @escaping @Sendable ([Element]) -> Bool) async {
    await withCheckedContinuation { add(condition, $0) }
  }

  private func add(
    _ condition: @escaping @Sendable ([Element]) -> Bool,
    _ continuation: CheckedContinuation<Void, Never>
  ) {
    var seen = -1
    while true {
      let elements = state.withLock { state in
        if state.elements.count == seen { state.waiters.append((condition, continuation)) }
        return state.elements
      }
      if elements.count == seen { return }
      seen = elements.count
      if condition(elements) {
        continuation.resume()
        return
      }
    }
  }
}

/// Keeps the messages of warnings.
struct WarningLog: LogHandler {
  let log: Log<String>
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.warning

  init(log: Log<String>) { self.log = log }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { log.append("\(event.message)") }
}
