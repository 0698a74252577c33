// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Requests of one round of fetching: names looked up, addresses checked, redirects followed.
///
/// AsyncHTTPClient resolves names itself, unless it is told the address beforehand; that is a
/// setting of a client, so there is a client for each host and address. They live as long as the
/// round: its requests to one registry share a connection, and nothing is kept for a name whose
/// address may be another one tomorrow.
final class HTTPSession: Sendable {
  /// What is sent.
  struct Request: Sendable {
    var url: HTTPURL
    var accept: [String] = []
    /// Only for the origin of `url`: a redirect to another one loses it.
    var authorization: String?
    /// `application/x-www-form-urlencoded`; makes the request a POST.
    var form: String?
  }

  /// What decides about a connection.
  private struct Route: Hashable {
    var host: String
    var address: IPAddress?
    var proxy: HTTPURL?
    var isInsecure: Bool
    var authorities: String?
  }

  private static let maximumRedirects = 10
  /// Short enough that a second and third address get their turn within an attempt.
  private static let connectTimeout = TimeAmount.seconds(5)

  private let settings: RemoteModuleSource.Settings
  private let resolver: any HostResolver
  private let eventLoops: any EventLoopGroup
  private let clients = Mutex<[Route: HTTPClient]>([:])

  init(
    settings: RemoteModuleSource.Settings, resolver: any HostResolver,
    eventLoops: any EventLoopGroup
  ) {
    self.settings = settings
    self.resolver = resolver
    self.eventLoops = eventLoops
  }

  /// Closes all connections, at the end.
  func close() async {
    let all = clients.withLock { clients in
      defer { clients = [:] }
      return Array(clients.values)
    }
    for client in all { try? await client.shutdown() }
  }

  /// The answer to a request, after redirects; any status but those of redirects.
  func send(_ first: Request) async throws(ModuleError) -> HTTPAnswer {
    var request = first
    for _ in 0...Self.maximumRedirects {
      let answer = try await exchange(request)
      let isRedirect = [301, 302, 303, 307, 308].contains(answer.status)
      guard isRedirect, let location = answer.header("location").first else { return answer }
      let next: HTTPURL
      do throws(ModuleError) {
        next = try request.url.resolving(location)
      } catch {
        throw ModuleError(.downloadFailure, "\(request.url): redirected to a URL of no use")
      }
      if answer.status < 307 { request.form = nil }
      if !next.isSameOrigin(as: request.url) {
        request.authorization = nil
        guard request.form == nil else {
          throw ModuleError(
            .downloadFailure, "\(request.url): redirected to \(next), which may not see the form")
        }
      }
      request.url = next
      request.url.user = nil
    }
    throw ModuleError(
      .downloadFailure, "\(first.url): more than \(Self.maximumRedirects) redirects")
  }

  private func exchange(_ request: Request) async throws(ModuleError) -> HTTPAnswer {
    var failure: ModuleError?
    for route in try await routes(to: request.url) {
      do throws(ModuleError) {
        return try await exchange(request, by: route)
      } catch {
        failure = error
        guard error.hint == .noConnection else { break }
      }
    }
    throw failure
      ?? ModuleError(
        .downloadFailure, "\(request.url): the host has no address", isRetryable: true)
  }

  /// One way to the host for each of its addresses that may be used.
  private func routes(to url: HTTPURL) async throws(ModuleError) -> [Route] {
    var route = Route(host: url.host, isInsecure: url.isTLS && settings.isInsecure(url))
    if url.isTLS, !route.isInsecure { route.authorities = settings.authorities(for: url) }
    let literal = IPAddress(url.host)
    let guardian = AddressGuard(blocked: settings.blockedRanges)
    do throws(ModuleError) {
      if let proxy = settings.proxies.proxy(for: url) {
        if let literal { _ = try guardian.allowed([literal], of: url.host) }
        route.proxy = proxy
        return [route]
      }
      var addresses = literal.map { [$0] } ?? []
      if literal == nil { addresses = try await resolver.addresses(of: url.host) }
      return try guardian.allowed(addresses, of: url.host).map { address in
        route.address = address
        return route
      }
    } catch {
      throw error.about(url)
    }
  }

  private func exchange(_ request: Request, by route: Route) async throws(ModuleError) -> HTTPAnswer
  {
    var message = HTTPClientRequest(url: request.url.text)
    message.headers.add(name: "user-agent", value: "skiff-agent")
    for type in request.accept { message.headers.add(name: "accept", value: type) }
    if let authorization = request.authorization {
      message.headers.add(name: "authorization", value: authorization)
    }
    if let form = request.form {
      message.method = .POST
      message.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
      message.body = .bytes(ByteBuffer(string: form))
    }
    let client = try client(for: route)
    do {
      // The attempt has its own limit, on the injected clock. This one is close to it, because
      // the client keeps what belongs to a TLS connection until the timer is due.
      let response = try await client.execute(message, timeout: answerTimeout)
      return HTTPAnswer(response, from: request.url)
    } catch {
      throw ModuleError(transport: error, url: request.url, address: route.address)
    }
  }

  private var answerTimeout: TimeAmount {
    max(.seconds(1), .milliseconds(Int64(settings.attemptTimeout / .milliseconds(1))))
  }

  private func client(for route: Route) throws(ModuleError) -> HTTPClient {
    if let client = clients.withLock({ $0[route] }) { return client }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: try tlsConfiguration(for: route), redirectConfiguration: .disallow,
      timeout: .init(connect: Self.connectTimeout))
    configuration.httpVersion = .http1Only
    // The retries are ours, with a backoff and a count that are reported.
    configuration.connectionPool.retryConnectionEstablishment = false
    if let address = route.address, IPAddress(route.host) == nil {
      configuration.dnsOverride = [route.host: address.description]
    }
    if let proxy = route.proxy {
      configuration.proxy = .server(
        host: proxy.host, port: proxy.effectivePort,
        authorization: proxy.user.map { .basic(credentials: $0.base64) })
    }
    let client = HTTPClient(
      eventLoopGroupProvider: .shared(eventLoops), configuration: configuration)
    clients.withLock { $0[route] = client }
    return client
  }

  private func tlsConfiguration(for route: Route) throws(ModuleError) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if route.isInsecure { configuration.certificateVerification = .none }
    if let path = route.authorities {
      guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty
      else {
        throw ModuleError(
          .downloadFailure, "the CA bundle \(path) for \(route.host) holds no PEM certificates")
      }
      configuration.additionalTrustRoots = [.certificates(certificates)]
    }
    return configuration
  }
}
