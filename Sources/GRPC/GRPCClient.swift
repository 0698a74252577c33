// SPDX-License-Identifier: Apache-2.0

package import Logging
package import NIOCore
import NIOPosix
package import NIOSSL

/// One connection to a gRPC server, with any number of calls.
///
/// It does not reconnect: its owner watches `goAwayFuture` and `closeFuture` and connects anew.
package final class GRPCClient: Sendable {
  /// What a client allows the server, and how it connects.
  package struct Configuration: Sendable {
    /// Time for the TCP connection; the HTTP/2 handshake has its own in `lifetime`.
    package var connectTimeout = TimeAmount.seconds(5)

    /// Trust and certificates, or nil for plaintext; the protocol for ALPN is filled in.
    package var tls: TLSConfiguration?

    /// The name that the server's certificate must have; nil takes the host of the address.
    package var serverHostname: String?

    /// The `:authority` of requests; nil takes the address.
    package var authority: String?

    /// What the connection may cost.
    ///
    /// A client reads large responses, so its windows are wide.
    package var limits: HTTP2Limits = {
      var limits = HTTP2Limits()
      limits.streamWindow = 4 * 1024 * 1024
      limits.connectionWindow = 16 * 1024 * 1024
      return limits
    }()

    /// How the connection lives and dies.
    package var lifetime = ConnectionLifetime()

    /// Unsent bytes that the kernel takes.
    package var notSentLowWatermark = 128 * 1024

    /// Makes a configuration for plaintext with the default limits.
    package init() {}
  }

  /// The loop of the connection and of all its calls.
  package let eventLoop: any EventLoop

  /// Succeeds when the server has asked us to move (GOAWAY), and when the connection has closed.
  package let goAwayFuture: EventLoopFuture<Void>

  private let channel: any Channel
  private let handler: NIOLoopBound<HTTP2ConnectionHandler>
  private let scheme: String
  private let authority: String

  private init(
    channel: any Channel, handler: NIOLoopBound<HTTP2ConnectionHandler>,
    goAwayFuture: EventLoopFuture<Void>, scheme: String, authority: String
  ) {
    self.channel = channel
    self.handler = handler
    self.goAwayFuture = goAwayFuture
    self.scheme = scheme
    self.authority = authority
    eventLoop = channel.eventLoop
  }

  /// Connects, and waits for TLS and the server's SETTINGS.
  ///
  /// - Throws: When the address does not answer, or something answers that is not HTTP/2.
  package static func connect(
    to address: GRPCListener.Address, configuration: Configuration = Configuration(),
    on eventLoop: any EventLoop, logger: Logger
  ) async throws -> GRPCClient {
    let tls = try configuration.tls.map { tls in
      var tls = tls
      tls.applicationProtocols = ["h2"]
      return try NIOSSLContext(configuration: tls)
    }
    let hostname = configuration.serverHostname ?? address.hostname
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(configuration.connectTimeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: tls, serverHostname: hostname))
          }
          let shard = ConnectionShard(
            eventLoop: eventLoop, sweepInterval: configuration.lifetime.sweepInterval)
          let session = HTTP2Session(
            .client, limits: configuration.limits, callbacks: shard.callbacks, sink: shard.sink,
            eventLoop: eventLoop)
          try channel.installHTTP2(
            session, on: shard, lifetime: configuration.lifetime, isTLS: tls != nil,
            logger: logger)
        }
      }
    let channel: any Channel
    do {
      switch address {
      case .tcp(let host, let port):
        channel = try await bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
          .channelOption(.unsentBytes, value: configuration.notSentLowWatermark)
          .connect(host: host, port: port).get()
      case .unix(let path):
        channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
      }
    } catch {
      throw GRPCStatus(connectingTo: address, failed: error)
    }
    // The pipeline is looked at afterwards, because a name with two addresses tries two channels.
    return try await eventLoop.flatSubmit {
      eventLoop.makeCompletedFuture {
        let pipeline = channel.pipeline.syncOperations
        guard let handler = try? pipeline.handler(type: HTTP2ConnectionHandler.self) else {
          throw GRPCStatus(.unavailable, "connection lost: the peer has closed the connection")
        }
        let client = GRPCClient(
          channel: channel, handler: NIOLoopBound(handler, eventLoop: eventLoop),
          goAwayFuture: handler.goAway.futureResult, scheme: tls == nil ? "http" : "https",
          authority: configuration.authority ?? address.authority)
        return handler.ready.futureResult.map { client }
      }.flatMap { $0 }
    }.get()
  }

  /// Succeeds when the connection is gone, whoever closed it.
  package var closeFuture: EventLoopFuture<Void> { channel.closeFuture }

  /// Begins a call, on the client's event loop only.
  ///
  /// - Parameters:
  ///   - path: The method, `/package.Service/Method`.
  ///   - headers: Metadata; names in lower case.
  ///   - timeout: The call's deadline from now, told to the server and kept here too.
  ///   - stream: Makes our side of the call.
  /// - Returns: The call, whose `closed` is sure to come.
  /// - Throws: `unavailable` when the connection takes no more calls; nothing of `stream` is called.
  @discardableResult
  package func open(
    _ path: String, headers: [(name: String, value: String)] = [], timeout: TimeAmount? = nil,
    stream: (GRPCCall) -> any GRPCStream
  ) throws(GRPCStatus) -> GRPCCall {
    try handler.value.session.request(
      path, scheme: scheme, authority: authority, headers: headers, timeout: timeout,
      stream: stream)
  }

  /// Makes a call with one message each way, from anywhere.
  ///
  /// - Throws: The status, unless it is ok and a message has come.
  package func unary(
    _ path: String, _ message: ByteBuffer, headers: [(name: String, value: String)] = [],
    timeout: TimeAmount? = nil
  ) async throws -> ByteBuffer {
    try await eventLoop.flatSubmit { [self] in
      let answer = eventLoop.makePromise(of: ByteBuffer.self)
      do throws(GRPCStatus) {
        try open(path, headers: headers, timeout: timeout) { call in
          UnaryCall(call, message, answer: answer)
        }
      } catch {
        answer.fail(error)
      }
      return answer.futureResult
    }.get()
  }

  /// Says goodbye and closes the connection; calls under way end as cancelled.
  ///
  /// From anywhere.
  package func close() {
    eventLoop.execute { [self] in
      handler.value.session.goAway(
        GRPCStatus(.cancelled, "the connection was closed from this side"))
    }
  }
}

extension GRPCListener.Address {
  /// What a request says it was meant for.
  fileprivate var authority: String {
    switch self {
    case .tcp: description
    case .unix: "localhost"
    }
  }

  /// The name to check a certificate for; addresses cannot be told to the server by SNI.
  fileprivate var hostname: String? {
    guard case .tcp(let host, _) = self, (try? SocketAddress(ipAddress: host, port: 0)) == nil
    else { return nil }
    return host
  }
}
