// SPDX-License-Identifier: Apache-2.0

import GRPC
import Logging
import MeshModel
import NIOCore
import NIOPosix
import Prometheus
import Synchronization
import XDS
import XDSServer

/// An `ADSServer` on a free port, for the time of a test, whose translation the test dictates.
struct RunningServer {
  let ads: ADSServer
  let port: Int
  let group: any EventLoopGroup
  let registry: MetricRegistry
  private let source: FakeSource
  private let resources: Resources

  /// What every class of proxies gets, and how often somebody asked.
  final class Resources: Sendable {
    struct State {
      var revision: UInt64 = 1
      var sets: [TypeURL: ResourceSet] = [:]
      var translations = 0
    }
    let state = Mutex(State())
  }

  var translationCount: Int { resources.state.withLock { $0.translations } }

  /// Serves while `body` runs.
  static func with(
    _ body: (RunningServer) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let resources = Resources()
    let source = FakeSource(MeshSnapshot(revision: 1))
    let registry = MetricRegistry()
    var configuration = ADSServer.Configuration()
    configuration.debounceAfter = .zero
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let ads = ADSServer(
      configuration: configuration, source: source,
      translation: { mesh, proxyClass in
        resources.state.withLock { state in
          state.translations += 1
          return ResourceSnapshot(
            revision: mesh.revision, proxyClass: proxyClass, sets: state.sets, problems: [])
        }
      }, metrics: ServerMetrics(in: registry), group: group, logger: logger)
    let grpc = GRPCServer(
      configuration: .init(listeners: [GRPCListener(.tcp(host: "127.0.0.1", port: 0))]),
      methods: ads.methods, group: group, logger: logger)
    let port = try await grpc.bind().first?.port ?? 0
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await ads.run() }
      tasks.addTask { try await grpc.run() }
      while !ads.isReady { await Task.yield() }
      try await body(
        RunningServer(
          ads: ads, port: port, group: group, registry: registry, source: source,
          resources: resources))
      tasks.cancelAll()
    }
  }

  /// Publishes a mesh that translates to these resources, and waits until the proxies were told.
  func publish(
    _ sets: [TypeURL: [EncodedResource]],
    mesh: (UInt64) -> MeshSnapshot = { MeshSnapshot(revision: $0) }
  ) async {
    let revision = resources.state.withLock { state in
      state.revision += 1
      state.sets = sets.mapValues(ResourceSet.init)
      return state.revision
    }
    await source.publish(mesh(revision))
    // Counted when every event loop was told.
    let told = "pilot_push_triggers{type=\"config\"} \(revision)\n"
    while !registry.exposition().contains(told) { await Task.yield() }
  }
}
