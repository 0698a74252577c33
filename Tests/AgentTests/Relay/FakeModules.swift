// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WasmModules

/// A store whose fetches end when the test says so.
final class FakeModules: ModuleProvider {
  private struct State {
    var waiting: [String: CheckedContinuation<Result<Module, ModuleError>, Never>] = [:]
    var results: [String: [Result<Module, ModuleError>]] = [:]
    var inUse: [String: Set<String>] = [:]
  }

  private let state = Mutex(State())
  let uses: AsyncStream<Set<String>>
  private let usesContinuation: AsyncStream<Set<String>>.Continuation

  init() { (uses, usesContinuation) = AsyncStream.makeStream() }

  /// Ends the fetch of a URL that is under way, or the next one.
  func end(_ url: String, with result: Result<Module, ModuleError>) {
    let waiting = state.withLock { state in
      let waiting = state.waiting.removeValue(forKey: url)
      if waiting == nil { state.results[url, default: []].append(result) }
      return waiting
    }
    waiting?.resume(returning: result)
  }

  func end(_ url: String, path: String) { end(url, with: .success(RelayScript.module(path))) }

  /// All that anybody has in use.
  var inUse: Set<String> {
    state.withLock { $0.inUse.values.reduce(into: []) { $0.formUnion($1) } }
  }

  func cached(_ request: ModuleRequest) -> Module? { nil }

  func module(for request: ModuleRequest) async throws(ModuleError) -> Module {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let result = state.withLock { state -> Result<Module, ModuleError>? in
          if Task.isCancelled { return .failure(Self.cancelled) }
          if var results = state.results[request.url], !results.isEmpty {
            let first = results.removeFirst()
            state.results[request.url] = results
            return first
          }
          state.waiting[request.url] = continuation
          return nil
        }
        if let result { continuation.resume(returning: result) }
      }
    } onCancel: {
      let waiting = state.withLock { $0.waiting.removeValue(forKey: request.url) }
      waiting?.resume(returning: .failure(Self.cancelled))
    }
    return try result.get()
  }

  func lastGood(of plugin: String) -> Module? { nil }

  func setInUse(_ modules: Set<String>, by user: String) {
    let all = state.withLock { state in
      state.inUse[user] = modules
      return state.inUse.values.reduce(into: Set<String>()) { $0.formUnion($1) }
    }
    usesContinuation.yield(all)
  }

  private static let cancelled = ModuleError(.fetchFailure, "cancelled")
}
