// SPDX-License-Identifier: Apache-2.0

package import Logging
package import NIOCore
import NIOPosix

/// Modules behind http and https, and in registries.
///
/// A call is one round: attempts with a backoff between them, within `ModuleFetch.timeout`. The
/// bytes go from the socket through the envelopes to the sink in pieces; a module is never in
/// memory as a whole.
package struct RemoteModuleSource: ModuleSource {
  let settings: Settings
  let resolver: any HostResolver
  let eventLoops: any EventLoopGroup
  let timing: FetchTiming
  let slots: FetchSlots
  let tokens: RegistryTokens
  let plainRegistries = PlainRegistries()
  let logger: Logger

  /// A source; one for the process, because the limit on downloads is its own.
  ///
  /// - Parameters:
  ///   - settings: what the operator chose.
  ///   - eventLoops: where sockets live.
  ///   - clock: measures timeouts and waits.
  ///   - chance: numbers in 0..<1, for jitter.
  ///   - logger: hears of every attempt that failed, at debug.
  package init(
    settings: Settings, eventLoops: any EventLoopGroup, clock: some Clock<Duration>,
    chance: @escaping @Sendable () -> Double, logger: Logger
  ) {
    self.init(
      settings: settings, resolver: SystemHostResolver(threads: .singleton),
      eventLoops: eventLoops, clock: clock, chance: chance, logger: logger)
  }

  init(
    settings: Settings, resolver: any HostResolver, eventLoops: any EventLoopGroup,
    clock: some Clock<Duration>, chance: @escaping @Sendable () -> Double, logger: Logger
  ) {
    self.settings = settings
    self.resolver = resolver
    self.eventLoops = eventLoops
    timing = FetchTiming(clock: clock, chance: chance)
    slots = FetchSlots(count: settings.concurrentDownloads)
    tokens = RegistryTokens(now: timing.now)
    self.logger = logger
  }

  package func resolve(_ fetch: ModuleFetch) async throws(ModuleError) -> ModuleDigest? {
    guard case .oci(let image) = fetch.location else { return nil }
    if let digest = image.digest, fetch.expected == nil || fetch.expected == digest {
      return digest
    }
    return try await round(fetch) { (session) throws(ModuleError) in
      try await imagePull(fetch, of: image, in: session).resolve()
    }
  }

  package func download(
    _ fetch: ModuleFetch, resolved: ModuleDigest?, to sink: any ModuleSink
  ) async throws(ModuleError) -> ModuleDigest {
    switch fetch.location {
    case .file(let path):
      throw ModuleError(
        .fetchFailure, "file://\(path): a file is used where it is, it is not fetched")
    case .http(let url):
      return try await round(fetch) { (session) throws(ModuleError) in
        try await downloadFile(fetch, from: try HTTPURL(parsing: url), in: session, to: sink)
      }
    case .oci(let image):
      return try await round(fetch) { (session) throws(ModuleError) in
        try await imagePull(fetch, of: image, in: session).download(resolved: resolved, to: sink)
      }
    }
  }

  /// One attempt at a module behind http: request, redirects, envelopes, digest.
  private func downloadFile(
    _ fetch: ModuleFetch, from url: HTTPURL, in session: HTTPSession, to sink: any ModuleSink
  ) async throws(ModuleError) -> ModuleDigest {
    let seconds = settings.attemptTimeout
    return try await timing.within(
      seconds,
      timedOut: {
        ModuleError(
          .downloadFailure, "\(url): not complete within \(seconds)", isRetryable: true)
      },
      { () async throws(ModuleError) in
        let request = HTTPSession.Request(url: url, authorization: url.user?.basicAuthorization)
        let answer = try await session.send(request)
        guard answer.status == 200 else { throw answer.failure(.downloadFailure) }
        let digest = try await unpack(
          answer, EnvelopeReader(limit: settings.maximumSize), to: sink)
        guard fetch.expected == nil || fetch.expected == digest else {
          throw ModuleError.mismatch(url, expected: fetch.expected, found: digest.description)
        }
        return digest
      })
  }

  /// Moves a body through the envelopes into the sink.
  ///
  /// - Returns: the digest of the module's own bytes.
  private func unpack(
    _ answer: HTTPAnswer, _ reader: EnvelopeReader, to sink: any ModuleSink
  ) async throws(ModuleError) -> ModuleDigest {
    var unpacking = ModuleUnpacking(reader: reader, sink: sink, subject: answer.url.description)
    try await answer.read(limit: settings.maximumSize) { (piece) throws(ModuleError) in
      try await unpacking.write(piece)
    }
    return try await unpacking.finish()
  }
}

extension ModuleError {
  /// What came is not what was asked for.
  static func mismatch(
    _ subject: some CustomStringConvertible, expected: ModuleDigest?, found: String
  ) -> ModuleError {
    ModuleError(
      .checksumMismatched,
      "\(subject): expected \(expected?.description ?? "any digest"), found \(found)")
  }
}
