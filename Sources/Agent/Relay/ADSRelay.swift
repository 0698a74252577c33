// SPDX-License-Identifier: Apache-2.0

package import GRPC
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
package import WasmModules

/// Envoy's ADS server on this machine, and skiffd's client: one upstream stream for each of Envoy's.
///
/// Everything about a stream happens on the event loop of Envoy's connection. What takes time, that
/// is connecting and fetching, is done by `run`, which tells the stream on its loop.
package final class ADSRelay: Service {
  package struct Configuration: Sendable {
    /// Where skiffd is.
    package var upstream: GRPCListener.Address
    package var client = GRPCClient.Configuration()
    /// Sent with every stream: `XDS_HEADER_…`, `ClusterID`; names in lower case.
    package var headers: [Header] = []
    package var reconnect = Backoff(initial: .milliseconds(100), factor: 2, cap: .seconds(30))
    package var state = RelayState.Configuration()
    /// How long the files of a stream that ended are kept, for an Envoy that comes again.
    package var handover = Duration.seconds(60)
    package var mode = WasmFailureMode.reject
    /// Between rounds of fetches.
    package var retry = Backoff(initial: .seconds(1), factor: 2)
    /// From 0 up to 1.
    package var random: @Sendable () -> Double = { .random(in: 0..<1) }

    package init(upstream: GRPCListener.Address) {
      self.upstream = upstream
      // Envoy's own limit; a whole mesh comes in one response.
      client.limits.maxReceiveMessageSize = 256 * 1024 * 1024
    }
  }

  /// A metadata field.
  package struct Header: Hashable, Sendable {
    package var name: String
    package var value: String
    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  let configuration: Configuration
  let rules: SupplyRules
  let metrics: AgentMetrics
  let logger: Logger
  let streams: RelayStreams
  private let provider: any ModuleProvider
  private let unixTimeNow: @Sendable () -> Duration
  private let health = HealthService()
  private let streamCount = Atomic<UInt64>(0)
  private let jobs: AsyncStream<Job>
  private let continuation: AsyncStream<Job>.Continuation

  /// Something that takes time, outside the event loops.
  typealias Job = @Sendable () async -> Void

  /// Makes a relay.
  ///
  /// - Parameters:
  ///   - configuration: where skiffd is, and how to behave.
  ///   - provider: where modules come from; it must run before the relay does.
  ///   - metrics: where to count.
  ///   - logger: where to tell.
  ///   - unixTime: the time since 1970.
  package init(
    configuration: Configuration, provider: any ModuleProvider, metrics: AgentMetrics,
    logger: Logger, unixTime: @escaping @Sendable () -> Duration
  ) {
    self.configuration = configuration
    self.provider = provider
    self.metrics = metrics
    self.logger = logger
    unixTimeNow = unixTime
    var rules = SupplyRules(modules: ModuleLookup(provider))
    rules.mode = configuration.mode
    rules.retry = configuration.retry
    rules.random = configuration.random
    self.rules = rules
    streams = RelayStreams(
      provider: provider, modules: metrics.modules, handover: configuration.handover)
    (jobs, continuation) = AsyncStream.makeStream()
  }

  /// What the server for Envoy has to offer.
  package var methods: [any GRPCMethod] { [RelayMethod(relay: self)] + health.methods }

  /// How many streams Envoy has, and how many of them reach skiffd.
  package var status: RelayStatus { streams.status }

  /// Connects and fetches until the graceful shutdown.
  package func run() async throws {
    await cancelWhenGracefulShutdown { [jobs] in
      await withDiscardingTaskGroup { group in
        for await job in jobs { group.addTask { await job() } }
        group.cancelAll()
      }
    }
  }

  func perform(_ job: @escaping Job) { continuation.yield(job) }

  func nextStreamID() -> String {
    String(streamCount.add(1, ordering: .relaxed).newValue, radix: 36)
  }

  /// Fetches until it is there, failed, or nobody waits any more.
  func fetch(
    _ work: ModuleWork, until ended: AsyncStream<Never>,
    then deliver: @escaping @Sendable (Result<Module, ModuleError>) -> Void
  ) {
    perform { [provider] in
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          let result: Result<Module, ModuleError>
          do throws(ModuleError) {
            result = .success(try await provider.module(for: work.request))
          } catch {
            result = .failure(error)
          }
          if !Task.isCancelled { deliver(result) }
        }
        group.addTask { for await _ in ended {} }
        await group.next()
        group.cancelAll()
      }
    }
  }

  /// The time since 1970 of an instant.
  func unixTime(of instant: ContinuousClock.Instant) -> Duration {
    unixTimeNow() + ContinuousClock.now.duration(to: instant)
  }
}

/// `AggregatedDiscoveryService.StreamAggregatedResources`, offered to Envoy.
struct RelayMethod: GRPCMethod {
  static let path =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"

  let relay: ADSRelay
  var path: String { Self.path }

  func open(_ call: GRPCCall) -> any GRPCStream { RelayStream(call: call, relay: relay) }
}
