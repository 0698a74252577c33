// SPDX-License-Identifier: Apache-2.0

package import Hummingbird
import HummingbirdTLS
package import Logging
package import NIOCore
package import NIOSSL
import ServiceLifecycle

/// An HTTP server of one of the programs, with the port that the system gave it.
package struct HTTPListener: Service {
  private let application: any ApplicationProtocol
  private let bound: AsyncStream<Int>
  private let address: HostPort
  private let flag: String

  /// Makes a listener.
  ///
  /// - Parameters:
  ///   - address: where to listen.
  ///   - flag: the flag that chose the address.
  ///   - router: what to answer.
  ///   - tls: the certificate and key; nil for plaintext.
  ///   - idleTimeout: how long a connection may be without a request; nil for ever.
  ///   - logger: where to tell; its label is the name of the server.
  /// - Throws: what is wrong with the certificate.
  package init<Responder: HTTPResponderBuilder>(
    address: HostPort, flag: String, router: Responder, tls: TLSConfiguration? = nil,
    idleTimeout: TimeAmount? = nil, logger: Logger
  ) throws
  where Responder.Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    self.address = address
    self.flag = flag
    let (bound, continuation) = AsyncStream.makeStream(of: Int.self)
    self.bound = bound
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    application = Application(
      router: router,
      server: try tls.map {
        try .tls(.http1(configuration: .init(idleTimeout: idleTimeout)), tlsConfiguration: $0)
      } ?? .http1(configuration: .init(idleTimeout: idleTimeout)),
      configuration: .init(
        address: .hostname(address.host, port: address.port), serverName: logger.label),
      onServerRunning: { channel in
        continuation.yield(channel.localAddress?.port ?? address.port)
        continuation.finish()
      }, logger: quiet)
  }

  package func run() async throws {
    try await ListenFailure.explaining(address, flag) { try await application.run() }
  }

  /// Where it listens; waits until it does, nil where it ended before.
  package func boundAddress() async -> HostPort? {
    for await port in bound { return HostPort(host: address.host, port: port) }
    return nil
  }
}
