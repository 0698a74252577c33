// SPDX-License-Identifier: Apache-2.0

package import Logging
package import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// A gRPC server: listeners, their connections, and an orderly end.
///
/// Methods run synchronously on the event loops. See `GRPCStream` for how messages flow.
package final class GRPCServer: Service, Sendable {
  private enum State {
    case idle  // next: bound
    case bound([any Channel])  // next: stopped
    case stopped
  }

  private let configuration: Configuration
  private let methods: [String: any GRPCMethod]
  private let group: any EventLoopGroup
  private let logger: Logger
  private let shards: [ObjectIdentifier: NIOLoopBoundBox<ConnectionShard>]
  private let state = Mutex(State.idle)
  private let accepted = Atomic<UInt64>(0)
  private let open = Atomic<Int>(0)

  /// Makes a server that does not listen yet.
  ///
  /// - Parameters:
  ///   - configuration: Where to listen and what to allow.
  ///   - methods: What is offered; of two with the same path the last one counts.
  ///   - group: The event loops to run on. The server does not shut them down.
  ///   - logger: Where to tell.
  package init(
    configuration: Configuration, methods: [any GRPCMethod], group: any EventLoopGroup,
    logger: Logger
  ) {
    self.configuration = configuration
    self.methods = Dictionary(methods.map { ($0.path, $0) }) { $1 }
    self.group = group
    self.logger = logger
    let sweepInterval = configuration.lifetime.sweepInterval
    let loops = group.makeIterator().map { loop in
      let shard = NIOLoopBoundBox.makeBoxSendingValue(
        ConnectionShard(eventLoop: loop, sweepInterval: sweepInterval), eventLoop: loop)
      return (ObjectIdentifier(loop), shard)
    }
    shards = Dictionary(uniqueKeysWithValues: loops)
  }

  /// Connections that are open now.
  package var connectionCount: Int { open.load(ordering: .relaxed) }

  /// Starts to listen.
  ///
  /// - Returns: The addresses, one per listener in their order, with the ports that were chosen.
  /// - Throws: When an address cannot be had or a certificate cannot be used; nothing listens then.
  package func bind() async throws -> [SocketAddress] {
    var channels: [any Channel] = []
    do {
      for listener in configuration.listeners {
        channels.append(try await listen(on: listener))
      }
    } catch {
      for channel in channels { try? await channel.close() }
      throw error
    }
    let bound = channels
    state.withLock { $0 = .bound(bound) }
    return channels.compactMap(\.localAddress)
  }

  /// Serves until the graceful shutdown or the cancellation of the task, and drains.
  ///
  /// Draining sends GOAWAY to all, ends their calls with UNAVAILABLE spread over the drain time,
  /// and cuts what is left a little later, so this returns within a known time.
  package func run() async throws {
    if state.withLock({ if case .idle = $0 { true } else { false } }) {
      _ = try await bind()
    }
    try? await gracefulShutdown()  // throws when the task is cancelled, which means the same here
    await drain()
  }

  private func drain() async {
    let channels = state.withLock { state -> [any Channel] in
      guard case .bound(let channels) = state else { return [] }
      state = .stopped
      return channels
    }
    for channel in channels {
      try? await channel.close()
    }
    let end = configuration.drainTime + configuration.lifetime.closeGrace
    let drained = shards.values.map { shard in
      shard.eventLoop.flatSubmit {
        shard.value.drain(within: self.configuration.drainTime, cutAfter: end)
      }
    }
    try? await EventLoopFuture.andAllComplete(drained, on: group.next()).get()
  }

  private func listen(on listener: GRPCListener) async throws -> any Channel {
    let tls = try listener.tls.map { tls in
      var tls = tls
      tls.applicationProtocols = ["h2"]
      return try NIOSSLContext(configuration: tls)
    }
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: Int32(configuration.backlog))
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { $0.closeOnExec() }
      .childChannelInitializer { channel in self.accept(channel, tls: tls) }
    switch listener.address {
    case .tcp(let host, let port):
      return try await bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelOption(.unsentBytes, value: configuration.notSentLowWatermark)
        .bind(host: host, port: port).get()
    case .unix(let path):
      return try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
        .get()
    }
  }

  private func accept(_ channel: any Channel, tls: NIOSSLContext?) -> EventLoopFuture<Void> {
    let count = open.add(1, ordering: .relaxed).newValue
    channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
    return channel.eventLoop.makeCompletedFuture {
      guard count <= configuration.maxConnections else {
        throw GRPCStatus(.resourceExhausted, "too many connections")
      }
      guard let shard = shards[ObjectIdentifier(channel.eventLoop)]?.value else {
        preconditionFailure("a connection runs on a loop of the group that the server was given")
      }
      if let tls {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
      }
      let session = HTTP2Session(
        .server, limits: configuration.limits, methods: methods,
        connection: accepted.add(1, ordering: .relaxed).newValue,
        callbacks: shard.callbacks, sink: shard.sink, eventLoop: channel.eventLoop)
      try channel.installHTTP2(
        session, on: shard, lifetime: configuration.lifetime, isTLS: tls != nil, logger: logger)
    }
  }
}
