// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPC
import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// A real server on a free port of the loopback for as long as a test's body runs.
enum Loopback {
  static let group = MultiThreadedEventLoopGroup.singleton
  static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// The files beside the tests.
  static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()

  @discardableResult
  static func withServer<Result>(
    _ methods: [any GRPCMethod],
    at address: GRPCListener.Address = .tcp(host: "127.0.0.1", port: 0),
    tls: TLSConfiguration? = nil, configure: (inout GRPCServer.Configuration) -> Void = { _ in },
    body: (GRPCServer, GRPCListener.Address) async throws -> Result
  ) async throws -> Result {
    var configuration = GRPCServer.Configuration(listeners: [GRPCListener(address, tls: tls)])
    configuration.drainTime = .zero
    configure(&configuration)
    let server = GRPCServer(
      configuration: configuration, methods: methods, group: group, logger: logger)
    let bound = try await server.bind()
    let local = bound[0].port.map { GRPCListener.Address.tcp(host: "127.0.0.1", port: $0) }
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await server.run() }
      defer { tasks.cancelAll() }  // after which the server drains, and the group waits for it
      return try await body(server, local ?? address)
    }
  }

  static func connect(
    to address: GRPCListener.Address, configure: (inout GRPCClient.Configuration) -> Void = { _ in }
  ) async throws -> GRPCClient {
    var configuration = GRPCClient.Configuration()
    configure(&configuration)
    return try await GRPCClient.connect(
      to: address, configuration: configuration, on: group.any(), logger: logger)
  }

  /// A stream of a client whose events come when it has closed.
  static func call(
    _ client: GRPCClient, _ path: String = "/test.Test/Echo", timeout: TimeAmount? = nil,
    configure: @escaping @Sendable (RecordingStream) -> Void = { _ in }
  ) -> EventLoopFuture<[StreamEvent]> {
    client.eventLoop.flatSubmit {
      let closed = client.eventLoop.makePromise(of: [StreamEvent].self)
      do throws(GRPCStatus) {
        try client.open(path, timeout: timeout) { call in
          let stream = RecordingStream(call) { closed.succeed($0.events) }
          configure(stream)
          return stream
        }
      } catch {
        closed.fail(error)
      }
      return closed.futureResult
    }
  }

  /// TLS for a server with the test certificate, which is good for localhost and 127.0.0.1.
  static func serverTLS() throws -> TLSConfiguration {
    let fixtures = directory.appending(path: "Fixtures")
    let certificate = fixtures.appending(path: "localhost-cert.pem").path(percentEncoded: false)
    let key = fixtures.appending(path: "localhost-key.pem").path(percentEncoded: false)
    return .makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
  }

  /// TLS for a client that trusts the test certificate alone.
  static func clientTLS() throws -> TLSConfiguration {
    let path = directory.appending(path: "Fixtures/localhost-cert.pem").path(percentEncoded: false)
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .file(path)
    return tls
  }
}
