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
  private let flag: String

  /// Makes a listener.
  ///
  /// - Parameters:
  ///   - address: where to listen.
  ///   - flag: the flag that chose the address.
  ///   - router: what to answer.
  ///   - logger: where to tell.
  init(
    address: ListenAddress, flag: String, router: Router<BasicRequestContext>,
    logger: Logger
  ) {
    self.address = address
    self.flag = flag
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

  func run() async throws {
    try await ListenFailure.explaining(address, flag) { try await application.run() }
  }

  /// Where it listens; waits until it does, nil where it ended before.
  func boundAddress() async -> ListenAddress? {
    for await port in bound { return ListenAddress(host: address.host, port: port) }
    return nil
  }
}
