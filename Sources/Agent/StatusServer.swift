// SPDX-License-Identifier: Apache-2.0

import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle

/// The agent's HTTP server, for probes, Prometheus and people.
package struct StatusServer: Service {
  /// Why it cannot listen, with the remedy.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private let address: HostPort
  private let application: any ApplicationProtocol
  private let bound: AsyncStream<Int>

  package init(address: HostPort, pages: StatusPages, logger: Logger) {
    self.address = address
    let (bound, continuation) = AsyncStream.makeStream(of: Int.self)
    self.bound = bound
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    application = Application(
      router: pages.router(),
      configuration: .init(
        address: .hostname(address.host, port: address.port), serverName: "skiff-agent"),
      onServerRunning: { channel in
        continuation.yield(channel.localAddress?.port ?? address.port)
        continuation.finish()
      }, logger: quiet)
  }

  package func run() async throws {
    do {
      try await application.run()
    } catch let error as IOError {
      throw Failure(
        description: "cannot listen on \(address): \(error); choose another with --status-address")
    }
  }

  /// Where it listens; waits until it does, nil where it ended before.
  package func boundAddress() async -> HostPort? {
    for await port in bound { return HostPort(host: address.host, port: port) }
    return nil
  }
}
