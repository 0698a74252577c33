// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import NIOPosix
import Synchronization

@testable import WasmModules

/// Keeps what a source writes.
final class MemorySink: ModuleSink {
  private let state = Mutex((bytes: [UInt8](), restarts: 0))
  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var restarts: Int { state.withLock { $0.restarts } }

  func restart() async throws(ModuleError) {
    state.withLock { $0 = ([], $0.restarts + 1) }
  }

  func write(_ bytes: ByteBuffer) async throws(ModuleError) {
    state.withLock { $0.bytes += bytes.readableBytesView }
  }
}

/// Answers from a table; each name's answers in turn, the last one for ever.
final class TestResolver: HostResolver {
  private let table: TestBox<[String: [[String]]]>
  init(_ table: [String: [[String]]]) { self.table = TestBox(table) }

  func addresses(of host: String) async throws(ModuleError) -> [IPAddress] {
    let answer: [String]? = table.withLock { table in
      guard var answers = table[host], let first = answers.first else { return nil }
      if answers.count > 1 { answers.removeFirst() }
      table[host] = answers
      return first
    }
    guard let answer else {
      throw ModuleError(
        .downloadFailure, "the host name \(host) could not be looked up: not in the table",
        isRetryable: true)
    }
    return answer.compactMap { IPAddress($0) }
  }
}

/// A source under test, with its clock.
struct FetchFixture {
  var clock = TestClock()
  var settings = RemoteModuleSource.Settings()
  var names: [String: [[String]]] = [
    "modules.example": [["127.0.0.1"]], "registry.example": [["127.0.0.1"]],
    "other.example": [["127.0.0.1"]], "localhost": [["127.0.0.1"]],
  ]

  var source: RemoteModuleSource {
    RemoteModuleSource(
      settings: settings, resolver: TestResolver(names),
      eventLoops: MultiThreadedEventLoopGroup.singleton, clock: clock, chance: { 0.5 },
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  static func fetch(
    _ url: String, expected: ModuleDigest? = nil, credentials: String? = nil,
    timeout: Duration = .seconds(30)
  ) throws -> ModuleFetch {
    ModuleFetch(
      location: try .parse(url), expected: expected,
      credentials: try credentials.map { try RegistryCredentials(dockerConfig: $0) },
      timeout: timeout)
  }

  /// What a download brings: the module, or the error.
  func outcome(
    _ url: String, expected: ModuleDigest? = nil, credentials: String? = nil,
    timeout: Duration = .seconds(30)
  ) async throws -> Result<[UInt8], ModuleError> {
    let fetch = try Self.fetch(
      url, expected: expected, credentials: credentials, timeout: timeout)
    let sink = MemorySink()
    do throws(ModuleError) {
      _ = try await source.download(fetch, resolved: nil, to: sink)
      return .success(sink.bytes)
    } catch {
      return .failure(error)
    }
  }
}

extension Result where Failure == ModuleError {
  /// `kind: reason`, or "success".
  var text: String {
    switch self {
    case .success: "success"
    case .failure(let error): "\(error)"
    }
  }
}
