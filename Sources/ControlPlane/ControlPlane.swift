// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import EnvoyAPI
import Foundation
import GRPC
import Logging
import Manifests
import NIOCore
import NIOPosix
import Prometheus
import ServiceLifecycle
import Serving
import Translation
import UnixSignals
import Validation
import XDSServer

/// The wiring of `skiffd`: makes every part, hands each what it needs, runs them together.
package struct ControlPlane {
  private let settings: Settings
  private let logger: Logger

  package init(settings: Settings) {
    self.settings = settings
    logger = settings.logFormat.logger(label: "skiffd", level: settings.logLevel)
  }

  /// Serves until SIGTERM or SIGINT, drains and returns.
  ///
  /// Prints one line `skiffd ready grpc=… http=… monitoring=…` to standard error when every listener
  /// is bound, with ` api=…` where the control API is served.
  ///
  /// - Throws: Where an address cannot be bound.
  package func run() async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let registry = MetricRegistry()
    let reader = ManifestReader(checkingAgainst: EnvoyTypes.pool)
    let directories =
      settings.configDirectories.isEmpty
      ? nil
      : DirectorySource(
        roots: settings.configDirectories, reader: reader,
        rescanInterval: settings.rescanInterval)
    let api = try settings.api.map {
      try ControlAPI($0, reader: reader, directories: directories, logger: logger)
    }
    // Of an object that both have, the API's counts.
    let objects = api?.sources ?? [directories].compactMap { $0.map { $0 as any ConfigSource } }
    let store = ConfigStore(
      sources: objects + [meshConfigSource].compactMap(\.self), now: { WallClock.seconds })
    let health = HealthService()
    var configuration = ADSServer.Configuration()
    configuration.debounceAfter = settings.debounceAfter
    configuration.debounceMax = settings.debounceMax
    let translator = Translator(types: EnvoyTypes.pool)
    let ads = ADSServer(
      configuration: configuration, source: store,
      translation: { translator.translate($0, for: $1) },
      metrics: ServerMetrics(in: registry), group: group, logger: logger)
    let grpc = GRPCServer(
      configuration: .init(
        listeners: [
          GRPCListener(
            .tcp(host: settings.grpcAddress.host, port: settings.grpcAddress.port))
        ]), methods: ads.methods + health.methods, group: group, logger: logger)
    let pages = DebugPages(
      ads: ads, store: store, registry: registry, explainer: Explainer(translator))
    let http = try HTTPListener(
      address: settings.httpAddress, flag: "--http-address", router: pages.debugRouter(),
      logger: logger)
    let monitoring = try HTTPListener(
      address: settings.monitoringAddress, flag: "--monitoring-address",
      router: pages.monitoringRouter(), logger: logger)

    // Bound before anything runs: an address that is taken ends the start with one sentence.
    let grpcPort = try await ListenFailure.explaining(settings.grpcAddress, "--grpc-address") {
      try await grpc.bind().first?.port
    }
    let announcement = Announcement(
      grpc: HostPort(
        host: settings.grpcAddress.host, port: grpcPort ?? settings.grpcAddress.port),
      http: http, monitoring: monitoring, api: api?.listener)
    let statusMetrics = StatusMetrics(in: registry)
    let statuses = api?.statusPublisher(StatusWatch(ads: ads, store: store), statusMetrics)
    // Stopped in reverse: first the listeners, then what feeds them.
    let services: [any Service] =
      [StoreService(store: store), ads]
      + [statuses].compactMap { $0.map { $0 as any Service } } + [grpc, http, monitoring]
      + [api?.listener].compactMap { $0.map { $0 as any Service } }
    let serviceGroup = ServiceGroup(
      configuration: .init(
        services: (services + [announcement]).map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await serviceGroup.run()
  }
}

extension ControlPlane {
  /// The file of `--mesh-config`.
  private var meshConfigSource: (any ConfigSource)? {
    settings.meshConfigFile.map {
      DirectorySource(
        roots: [$0], reader: ManifestReader(takesMeshConfig: true),
        rescanInterval: settings.rescanInterval)
    }
  }
}

/// Runs the store for as long as the process serves.
private struct StoreService: Service {
  let store: ConfigStore

  func run() async throws {
    try await cancelWhenGracefulShutdown { try await store.run() }
  }
}

/// Says where the control plane listens, once it does.
private struct Announcement: Service {
  let grpc: HostPort
  let http: HTTPListener
  let monitoring: HTTPListener
  let api: HTTPListener?

  func run() async throws {
    if let http = await http.boundAddress(), let monitoring = await monitoring.boundAddress() {
      let apiAddress = await api?.boundAddress().map { " api=\($0)" } ?? ""
      let line = "skiffd ready grpc=\(grpc) http=\(http) monitoring=\(monitoring)\(apiAddress)\n"
      FileHandle.standardError.write(Data(line.utf8))
    }
    try await gracefulShutdown()
  }
}
