// SPDX-License-Identifier: Apache-2.0

import APIServer
import ConfigStore
import Logging
import Manifests
import NIOCore
import NIOSSL
import ObjectStore
import Serving

/// The control API of a process: its store, its server, and what both give to the configuration.
struct ControlAPI {
  let listener: HTTPListener
  let sources: [any ConfigSource]
  private let store: any Store

  /// Opens the store and prepares the listener.
  ///
  /// - Parameters:
  ///   - settings: with an address.
  ///   - reader: judges objects, those of files and those of clients alike.
  ///   - directories: what files hold; the API shows it.
  ///   - logger: where to tell.
  /// - Throws: a sentence about what is wrong with the store, the certificate or the tokens.
  init(
    _ settings: APISettings, reader: ManifestReader, directories: (any ConfigSource)?,
    logger: Logger
  ) throws {
    let store: any Store
    if let directory = settings.dataDirectory {
      store = try SQLiteStore(directory: directory)
    } else {
      logger.notice(
        "Objects of the API are kept in memory and end with this process; use --data-dir to keep them."
      )
      store = MemoryStore()
    }
    self.store = store
    let server = APIServer(
      store: store, reader: reader, tokens: try settings.tokenFile.map(BearerTokens.init),
      now: Self.now, clock: ContinuousClock(), logger: logger)
    listener = try HTTPListener(
      address: settings.address, flag: "--api-address", router: server,
      tls: try settings.tls.map(Self.configuration), idleTimeout: .minutes(5), logger: logger)
    let mirror = directories.map { DirectoryMirror(of: $0, in: store, now: Self.now) }
    sources = [StoreSource(store: store, reader: reader)] + [mirror].compactMap(\.self)
  }

  @Sendable private static func now() -> Int64 { WallClock.seconds }

  /// What writes to the objects how they fare.
  func statusPublisher(_ watch: StatusWatch, _ metrics: StatusMetrics) -> StatusPublisher {
    StatusPublisher(
      watch: watch, writer: ObjectStatusWriter(store: store, now: Self.now), objects: store,
      metrics: metrics, clock: ContinuousClock())
  }

  private static func configuration(_ files: APISettings.TLS) throws -> TLSConfiguration {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(files.certificate)
      let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      return configuration
    } catch {
      throw APIFault(
        description: "\(files.certificate) and \(files.key) are no certificate and key: \(error)")
    }
  }
}

/// Why the API cannot be served.
struct APIFault: Error, CustomStringConvertible {
  let description: String
}
