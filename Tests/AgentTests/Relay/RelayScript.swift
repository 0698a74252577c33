// SPDX-License-Identifier: Apache-2.0

import Agent
import AgentAPI
import EnvoyAPI
import GRPC
import MeshModel
import NIOCore
import SwiftProtobuf
import Synchronization
import WasmModules
import XDS

/// A `RelayState` with hands and a clock, and everything that it does as lines.
///
/// After each event both sides are pulled until nothing comes.
struct RelayScript {
  /// What is on the disk.
  final class Shelf: Sendable {
    struct Modules {
      var cached: [String: Module] = [:]
      var lastGood: [String: Module] = [:]
    }
    let modules = Mutex(Modules())
  }

  let shelf: Shelf
  private(set) var now = ContinuousClock.now
  private let start: ContinuousClock.Instant
  private var state: RelayState
  private var works: [String: [ModuleWork]] = [:]
  private var lines: [String] = []

  init(
    mode: WasmFailureMode = .reject, intercepts: Bool = true, reportsModules: Bool = true
  ) {
    let shelf = Shelf()
    var rules = SupplyRules(
      modules: ModuleLookup(
        cached: { request in shelf.modules.withLock { $0.cached[request.url] } },
        lastGood: { plugin in shelf.modules.withLock { $0.lastGood[plugin] } }))
    rules.mode = mode
    rules.random = { 0.5 }
    var configuration = RelayState.Configuration()
    configuration.intercepts = intercepts
    configuration.reportsModules = reportsModules
    state = RelayState(configuration: configuration, rules: rules, streamID: "s")
    self.shelf = shelf
    start = now
  }

  static func module(_ path: String) -> Module {
    Module(path: path, digest: .of(Array(path.utf8)), checksum: .of(Array(path.utf8)))
  }

  /// A request of Envoy; its first has the node.
  mutating func envoy(
    _ typeURL: TypeURL, _ names: [String] = [], version: String = "", nonce: String = "",
    error: String? = nil, node: String? = nil
  ) throws -> [String] {
    let request = ADSRequest.with {
      $0.typeURL = typeURL.rawValue
      $0.resourceNames = names
      $0.versionInfo = version
      $0.responseNonce = nonce
      if let error { $0.errorDetail.message = error }
      if let node { $0.node.id = node }
    }
    let message = ByteBuffer(bytes: request.deterministicBytes())
    return try after(state.receiveFromEnvoy(message, at: now))
  }

  mutating func skiffd(
    _ typeURL: TypeURL, _ nonce: String, version: String, _ resources: [Google_Protobuf_Any]
  ) throws -> [String] {
    let message = Resources.response(typeURL, nonce, version: version, resources)
    return try after(state.receiveFromUpstream(message, at: now))
  }

  mutating func connect() throws -> [String] { try after(state.upstreamOpened(at: now)) }

  mutating func disconnect() throws -> [String] {
    state.upstreamClosed()
    return try after([])
  }

  /// The fetch of a plugin, the latest or one before, has an end.
  mutating func fetched(_ plugin: String, ago: Int = 0, path: String? = nil) throws -> [String] {
    try complete(plugin, ago, .success(Self.module(path ?? "/\(plugin)")))
  }

  mutating func failed(_ plugin: String, ago: Int = 0) throws -> [String] {
    try complete(plugin, ago, .failure(ModuleError(.downloadFailure, "status 404")))
  }

  /// Time passes; the timer fires if it is due.
  mutating func wait(_ duration: Duration) throws -> [String] {
    now += duration
    guard let deadline = state.deadline, deadline <= now else { return [] }
    return try after(state.tick(at: now))
  }

  /// From the beginning until the next timer.
  var deadline: Duration? { state.deadline.map { start.duration(to: $0) } }

  var isSupplied: Bool { state.isSupplied }

  private mutating func complete(
    _ plugin: String, _ ago: Int, _ result: Result<Module, ModuleError>
  ) throws -> [String] {
    guard let all = works[plugin], ago < all.count else { return ["no fetch of \(plugin)"] }
    return try after(state.complete(all[all.count - 1 - ago].id, with: result, at: now))
  }

  private mutating func after(_ actions: [RelayAction]) throws -> [String] {
    lines = []
    for action in actions { note(action) }
    let start = start
    while let message = state.nextUpstream(unixTime: { start.duration(to: $0) }) {
      try noteUpstream(ADSRequest(serializedBytes: Array(buffer: message.prefix + message.shared)))
    }
    while let message = state.nextToEnvoy(at: now) {
      let answer = try Answer(serializedBytes: Array(buffer: message.prefix + message.shared))
      let resources = try answer.resources.map(Resources.text).joined(separator: ", ")
      lines.append(
        "envoy: \(TypeURL(rawValue: answer.typeURL).label) \(answer.nonce) [\(resources)]")
    }
    return lines
  }

  private mutating func note(_ action: RelayAction) {
    switch action {
    case .start(let work):
      works[work.request.plugin, default: []].append(work)
      lines.append("fetch \(work.request.url)")
    case .cancel(let works): lines.append("cancel \(works.map(\.resource).joined(separator: " "))")
    case .use(let paths): lines.append("use \(paths.sorted().joined(separator: " "))")
    case .note(.converted(let result, let duration)):
      lines.append("converted \(result.rawValue) \(duration / .seconds(1))")
    case .note(.fetched(let plugin)): lines.append("fetched \(plugin)")
    case .note(.fetchFailed(let failure)):
      lines.append(
        "failed \(failure.plugin) \(failure.url) attempt=\(failure.attempt) \(failure.error) "
          + "next=\(failure.retryAfter / .seconds(1))")
    case .note(.refused(let resource, let reason)): lines.append("refused \(resource): \(reason)")
    case .note(.rejected(let rejection)):
      lines.append("rejected \(rejection.resources.joined(separator: " "))")
    case .note(.modules): break
    }
  }

  private mutating func noteUpstream(_ request: ADSRequest) throws {
    let reportType = Skiff_Agent_V1_WasmModuleReport.typeURL
    guard request.typeURL != reportType else {
      guard let detail = request.errorDetail.details.first else { return lines.append("no report") }
      let report = try Skiff_Agent_V1_WasmModuleReport(serializedBytes: detail.value)
      for module in report.modules { lines.append("report: \(Self.text(module))") }
      return
    }
    var line = "skiffd: \(TypeURL(rawValue: request.typeURL).label)"
    if !request.resourceNames.isEmpty {
      line += " \(request.resourceNames.joined(separator: ","))"
    }
    if !request.versionInfo.isEmpty { line += " version=\(request.versionInfo)" }
    if !request.responseNonce.isEmpty { line += " nonce=\(request.responseNonce)" }
    if request.hasErrorDetail {
      line += " error=\(request.errorDetail.code) \"\(request.errorDetail.message)\""
    }
    if request.hasNode { line += " node=\(request.node.id)" }
    lines.append(line)
  }

  private static func text(_ module: Skiff_Agent_V1_WasmModuleStatus) -> String {
    var words = ["\(module.resource)", "\(module.phase)"]
    if module.plugin != module.resource { words.append("plugin=\(module.plugin)") }
    if module.refused { words.append("refused") }
    if module.attempts > 0 { words.append("attempts=\(module.attempts)") }
    if module.hasNextAttempt { words.append("next=\(module.nextAttempt.seconds)") }
    if !module.error.isEmpty { words.append("\"\(module.error)\"") }
    if !module.fallback.isEmpty { words.append("fallback=\(module.fallback)") }
    return words.joined(separator: " ")
  }
}

private func + (left: ByteBuffer, right: ByteBuffer) -> ByteBuffer {
  var (sum, right) = (left, right)
  sum.writeBuffer(&right)
  return sum
}
