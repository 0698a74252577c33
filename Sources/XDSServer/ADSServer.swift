// SPDX-License-Identifier: Apache-2.0

package import GRPC
package import Logging
package import MeshModel
package import NIOCore
import Prometheus
import ServiceLifecycle
import Synchronization
import XDS

/// The joint of translation, protocol and transport: snapshots in, pushes out.
///
/// One task owns the order of things: it debounces changes, takes a snapshot, translates it once for
/// each class of proxies, and tells the event loops. The streams live on the loops and pull.
package final class ADSServer: ServiceLifecycle.Service {
  package struct Configuration: Sendable {
    package var debounceAfter = Duration.milliseconds(100)
    package var debounceMax = Duration.seconds(10)
    /// A proxy that leaves a response without an answer for this long is disconnected.
    package var answerTimeout = Duration.seconds(300)
    package init() {}
  }

  /// What a class of proxies gets from a mesh: a pure function, called once for each pair.
  package typealias Translation = @Sendable (MeshSnapshot, ProxyClass) -> ResourceSnapshot

  private enum Event: Sendable {
    case configChanged
    case debounced
    case classAdded(ProxyClassEntry)
  }

  let metrics: ServerMetrics
  let logger: Logger
  let streams: StreamRegistry
  let classes = ProxyClassRegistry()
  let responses = ResponseCache()
  let progress = ProgressSignal()

  private let connectionCounter = Atomic<UInt64>(0)
  private let namePool = Mutex(NamePool())
  private let versions = Mutex<[String: Int]>([:])

  private let configuration: Configuration
  private let source: any SnapshotSource
  private let translation: Translation
  private let timer: any EventLoop
  private let events: AsyncStream<Event>
  private let continuation: AsyncStream<Event>.Continuation
  private let problemLog: ProblemLog

  package init(
    configuration: Configuration = Configuration(), source: any SnapshotSource,
    translation: @escaping Translation, metrics: ServerMetrics, group: any EventLoopGroup,
    logger: Logger
  ) {
    self.configuration = configuration
    self.source = source
    self.translation = translation
    self.metrics = metrics
    self.logger = logger
    streams = StreamRegistry(group: group)
    timer = group.next()
    problemLog = ProblemLog(metrics: metrics, logger: logger)
    (events, continuation) = AsyncStream.makeStream()
  }

  /// What a gRPC server has to offer for proxies to be served.
  package var methods: [any GRPCMethod] { [ADSMethod(server: self)] }

  /// Whether the first snapshot is complete and translated.
  package var isReady: Bool { classes.mesh != nil }

  /// The configuration in force.
  package var mesh: MeshSnapshot? { classes.mesh }

  /// Everything that is wrong with the configuration in force: reading, indexing and translating it.
  package var problems: [ConfigError] { problemLog.current }

  package func run() async throws {
    try await cancelWhenGracefulShutdown {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for await _ in await self.source.changes() { self.continuation.yield(.configChanged) }
        }
        group.addTask { await self.handleEvents() }
        group.addTask { try await self.watchAnswers() }
        try await group.next()
        group.cancelAll()
      }
    }
  }

  /// A stream found no entry for its class: translate it for all that wait.
  func translate(_ entry: ProxyClassEntry) { continuation.yield(.classAdded(entry)) }

  func nextConnectionNumber() -> UInt64 {
    connectionCounter.add(1, ordering: .relaxed).newValue
  }

  /// One storage for the equal subscriptions of many proxies.
  func shared(_ names: Set<String>) -> Set<String> { namePool.withLock { $0.shared(names) } }

  func clientJoined(version: String) { count(version, by: 1) }

  func clientLeft(version: String) { count(version, by: -1) }

  private func count(_ version: String, by change: Int) {
    versions.withLock { versions in
      versions[version, default: 0] += change
      metrics.connected.set(Double(versions[version] ?? 0), version)
    }
  }

  private func handleEvents() async {
    var debouncer = Debouncer(
      quiet: configuration.debounceAfter, limit: configuration.debounceMax)
    var scheduled: Scheduled<Void>?
    var firstChange: ContinuousClock.Instant?
    if let mesh = await source.snapshot() { publish(mesh, reason: "config") }
    for await event in events {
      switch event {
      case .configChanged:
        firstChange = firstChange ?? .now
        scheduled?.cancel()
        scheduled = wake(at: debouncer.noteChange(at: .now))
      case .debounced:
        guard debouncer.publish(at: .now) else {
          // The timer's clock is not the debouncer's; it may be early by a hair.
          scheduled = debouncer.deadline.map(wake(at:))
          continue
        }
        if let firstChange { metrics.debounceTime.observe(ContinuousClock.now - firstChange) }
        firstChange = nil
        if let mesh = await source.snapshot() { publish(mesh, reason: "config") }
      case .classAdded(let entry):
        guard let mesh = classes.mesh, entry.snapshot == nil else { continue }
        translate([entry], in: mesh)
        streams.forEach { $0.refresh() }
        progress.fire()
      }
    }
    scheduled?.cancel()
  }

  private func wake(at instant: ContinuousClock.Instant) -> Scheduled<Void> {
    let delay = max(.zero, ContinuousClock.now.duration(to: instant))
    return timer.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { [continuation] in
      _ = continuation.yield(.debounced)
    }
  }

  private func publish(_ mesh: MeshSnapshot, reason: String) {
    guard mesh.revision != classes.mesh?.revision else { return }
    let start = ContinuousClock.now
    responses.age()
    translate(classes.update(mesh), in: mesh)
    metrics.pushTime.observe(ContinuousClock.now - start)
    metrics.services.set(Double(mesh.services.count))
    metrics.virtualServices.set(Double(mesh.virtualServices.count))
    logger.info(
      "pushing configuration",
      metadata: ["revision": "\(mesh.revision)", "services": "\(mesh.services.count)"])
    streams.forEach { $0.refresh() }
    metrics.pushTriggers.increment(reason)
    progress.fire()
  }

  private func translate(_ entries: [ProxyClassEntry], in mesh: MeshSnapshot) {
    for entry in entries {
      entry.publish(translation(mesh, entry.proxyClass))
      metrics.translations.increment()
    }
    reportProblems(of: mesh)
  }

  /// Tells what is wrong, once every class in use has been translated.
  private func reportProblems(of mesh: MeshSnapshot) {
    let snapshots = classes.entries.map(\.snapshot)
    let isSorting = snapshots.isEmpty && versions.withLock { $0.values.contains { $0 > 0 } }
    guard !isSorting, snapshots.allSatisfy({ $0 != nil }) else { return }
    problemLog.update(mesh.problems + snapshots.flatMap { $0?.problems ?? [] })
  }

  /// Disconnects proxies that read nothing: what waits for them would wait for ever.
  private func watchAnswers() async throws {
    let timeout = configuration.answerTimeout
    let ticks = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let task = timer.scheduleRepeatedTask(initialDelay: .seconds(10), delay: .seconds(10)) { _ in
      ticks.continuation.yield()
    }
    defer { task.cancel() }
    for await _ in ticks.stream {
      let limit = ContinuousClock.now - timeout
      streams.forEach { $0.closeIfUnanswered(since: limit) }
    }
  }
}

extension Duration {
  /// Rounded towards zero.
  fileprivate var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
