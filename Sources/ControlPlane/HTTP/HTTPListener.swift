// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// An HTTP server of the control plane, with the port that the system gave it.
struct HTTPListener: Service {
  private let application: any ApplicationProtocol
  private let bound: AsyncStream<Int>
  private let address: ListenAddress

  init(address: ListenAddress, router: Router<BasicRequestContext>, logger: Logger) {
    self.address = address
    let (bound, continuation) = AsyncStream.makeStream(of: Int.self)
    self.bound = bound
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    application = Application(
      router: router,
      configuration: .init(
        address: .hostname(address.host, port: address.port), serverName: "skiffd"),
      onServerRunning: { channel in
        continuation.yield(channel.localAddress?.port ?? address.port)
        continuation.finish()
      }, logger: quiet)
  }

  func run() async throws { try await application.run() }

  /// Where it listens; waits until it does, nil where it ended before.
  func boundAddress() async -> ListenAddress? {
    for await port in bound { return ListenAddress(host: address.host, port: port) }
    return nil
  }
}
