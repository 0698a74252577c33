// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import GRPC
import Logging
import NIOCore
import NIOPosix
import Prometheus
import ServiceLifecycle
import Serving
import UnixSignals
import WasmModules

/// The wiring of `skiff-agent proxy`: makes every part, hands each what it needs, runs them together.
package struct Agent {
  private let settings: Settings
  private let logger: Logger

  package init(settings: Settings) {
    self.settings = settings
    logger = settings.logFormat.logger(label: "skiff-agent", level: settings.logLevel)
  }

  /// Serves until SIGTERM or SIGINT, drains Envoy and returns; or until Envoy ends.
  ///
  /// Prints one line `skiff-agent ready xds=unix:… status=…` to standard error when it serves.
  ///
  /// - Throws: `EnvoyExit` where Envoy ended by itself, else a sentence.
  package func run() async throws {
    try await HTTPClient.withHTTPClient(
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      configuration: EnvoyAdmin.clientConfiguration
    ) { client in
      try await run(EnvoyAdmin(address: settings.adminAddress, client: client))
    }
  }

  private func run(_ admin: EnvoyAdmin) async throws {
    let directory = try DataDirectory(settings)
    try directory.write(settings.bootstrapText(), to: settings.bootstrapPath)
    let registry = MetricRegistry()
    let library = makeLibrary(LibraryMetrics(in: registry))
    let relay = ADSRelay(
      configuration: relayConfiguration(), provider: library,
      metrics: AgentMetrics(in: registry), logger: logger,
      unixTime: { .seconds(Date().timeIntervalSince1970) })
    let server = makeServer(relay)
    let pages = StatusPages(
      .init(
        wasServed: { relay.status.wasServed }, modules: { relay.status.modules },
        holdings: { library.holdings() }, admin: admin, ownsEnvoy: settings.envoy != nil,
        quit: { kill(getpid(), SIGTERM) }), registry: registry)
    let status = try HTTPListener(
      address: settings.statusAddress, flag: "--status-address", router: pages.router(),
      logger: logger)
    _ = try await server.bind()

    // Stopped in reverse: Envoy drains first, while all that it needs still runs.
    var services: [any Service] = [library, relay, server, status]
    services.append(Announcement(socketPath: settings.socketPath, status: status))
    if let envoy = settings.envoy { services.append(process(envoy, admin)) }
    let group = ServiceGroup(
      configuration: .init(
        services: services.map {
          // Envoy's end is the agent's; its status is told when the others have stopped.
          .init(
            service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: $0 is EnvoyProcess
              ? .gracefullyShutdownGroup : .cancelGroup)
        }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
    _ = directory
  }

  private func makeLibrary(_ metrics: LibraryMetrics) -> ModuleLibrary {
    ModuleLibrary(
      settings.library,
      source: RemoteModuleSource(
        settings: settings.modules, eventLoops: MultiThreadedEventLoopGroup.singleton,
        clock: ContinuousClock(), chance: { .random(in: 0..<1) }, logger: logger),
      logger: logger, onEvent: metrics.count)
  }

  private func relayConfiguration() -> ADSRelay.Configuration {
    let address = settings.xdsAddress
    var configuration = ADSRelay.Configuration(
      upstream: .tcp(host: address.host, port: address.port))
    configuration.headers = settings.headers
    configuration.mode = settings.wasmFailure
    configuration.state.intercepts = settings.rewritesWasm
    configuration.state.reportsModules = settings.reportsWasm
    return configuration
  }

  /// One Envoy, one event loop: the relay never waits for another thread.
  ///
  /// Nor do downloads wait on it: what they read would come between Envoy and skiffd, and a thread
  /// that mostly sleeps is run at once when a message comes, however busy the machine is.
  private func makeServer(_ relay: ADSRelay) -> GRPCServer {
    var configuration = GRPCServer.Configuration(
      listeners: [GRPCListener(.unix(path: settings.socketPath))])
    // A subscription to many routes names each of them.
    configuration.limits.maxReceiveMessageSize = 16 << 20
    configuration.drainTime = .zero
    return GRPCServer(
      configuration: configuration, methods: relay.methods,
      group: MultiThreadedEventLoopGroup(numberOfThreads: 1), logger: logger)
  }

  private func process(_ envoy: String, _ admin: EnvoyAdmin) -> EnvoyProcess {
    EnvoyProcess(
      file: envoy,
      arguments: EnvoyProcess.commandLine(
        bootstrap: settings.bootstrapPath, operatorArguments: settings.envoyArguments),
      admin: admin,
      drain: .init(
        minimum: settings.drainDuration, untilNoConnections: settings.exitsOnZeroConnections,
        inboundOnly: settings.node.isSidecar), clock: ContinuousClock(), logger: logger)
  }
}

/// Says where the agent listens, once it does.
private struct Announcement: Service {
  let socketPath: String
  let status: HTTPListener

  func run() async throws {
    if let status = await status.boundAddress() {
      let line = "skiff-agent ready xds=unix:\(socketPath) status=\(status)\n"
      FileHandle.standardError.write(Data(line.utf8))
    }
    try await gracefulShutdown()
  }
}
