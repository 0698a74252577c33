// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
package import JSON
import MeshModel
import NIOCore
package import NIOHTTP1
import NIOSSL

/// Requests to a Kubernetes API: skiffd's, or any other.
package struct APIConnection: Sendable {
  /// Where the server is, and as whom it is asked.
  package struct Settings: Sendable {
    /// `http://127.0.0.1:8001`, without a path.
    package var server: String
    package var token: String?
    /// A PEM file with the only certificates that sign servers' certificates; nil for the system's.
    package var certificateAuthority: String?

    package init(server: String, token: String? = nil, certificateAuthority: String? = nil) {
      self.server = server
      self.token = token
      self.certificateAuthority = certificateAuthority
    }
  }

  package struct Answer: Sendable {
    package var status: Int
    package var json: JSONValue
    /// What the server wants its user to know.
    package var warnings: [String]
  }

  package enum Form: String, Sendable {
    case json = "application/json"
    case table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    case discovery =
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
  }

  package struct Body: Sendable {
    package var json: JSONValue
    package var type: String

    /// What replaces or makes an object.
    package static func object(_ json: JSONValue) -> Self {
      Self(json: json, type: "application/json")
    }

    /// Server-side apply, which takes YAML, hence JSON
    /// (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
    package static func applied(_ json: JSONValue) -> Self {
      Self(json: json, type: "application/apply-patch+yaml")
    }
  }

  let settings: Settings
  private let http: HTTPClient

  /// Runs something with a connection, and closes it.
  package static func with<Value>(
    _ settings: Settings, _ body: (APIConnection) async throws -> Value
  ) async throws -> Value {
    let http = HTTPClient(
      eventLoopGroup: HTTPClient.defaultEventLoopGroup,
      configuration: try Self.configuration(settings))
    let result: Result<Value, any Error>
    do {
      result = .success(try await body(APIConnection(settings: settings, http: http)))
    } catch {
      result = .failure(error)
    }
    try await http.shutdown()
    return try result.get()
  }

  private static func configuration(
    _ settings: Settings
  ) throws(ClientFailure) -> HTTPClient.Configuration {
    var tls = TLSConfiguration.makeClientConfiguration()
    if let path = settings.certificateAuthority {
      guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty
      else { throw .local("--certificate-authority: \(path) holds no PEM certificates") }
      tls.trustRoots = .certificates(certificates)
    }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(10)))
    configuration.httpVersion = .http1Only
    // Who asks at a terminal wants to know at once, not when a time is up.
    configuration.connectionPool.retryConnectionEstablishment = false
    return configuration
  }

  /// One request with its whole answer.
  ///
  /// - Throws: anything but success.
  package func send(
    _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], _ body: Body? = nil,
    as form: Form = .json
  ) async throws(ClientFailure) -> Answer {
    let response = try await execute(
      request(method, path, query, body, form), deadline: .now() + .seconds(60))
    let bytes: ByteBuffer
    do { bytes = try await response.body.collect(upTo: 1 << 30) } catch { throw failure(error) }
    let json = try? JSONValue(parsing: Array(buffer: bytes))
    guard (200..<300).contains(response.status.code), let json else {
      throw refusal(response.status, json)
    }
    return Answer(
      status: Int(response.status.code), json: json,
      warnings: response.headers["warning"].compactMap(WarningHeader.text))
  }

  package func get(
    _ path: String, query: [(String, String)] = [], as form: Form = .json
  ) async throws(ClientFailure) -> JSONValue {
    try await send(.GET, path, query: query, as: form).json
  }

  /// All of a collection, page by page.
  package func list(
    _ path: String, query: [(String, String)] = [], as form: Form = .json
  ) async throws(ClientFailure) -> [JSONValue] {
    var pages: [JSONValue] = []
    var next = ""
    repeat {
      let more = next.isEmpty ? [] : [("continue", next)]
      let page = try await get(path, query: query + [("limit", "500")] + more, as: form)
      next = page["metadata"]?["continue"]?.stringValue ?? ""
      pages.append(page)
    } while !next.isEmpty
    return pages
  }

  /// The kinds that the server has.
  package func kinds() async throws(ClientFailure) -> KindIndex {
    let core = try await get("/api", as: .discovery)
    return KindIndex(discovery: [core, try await get("/apis", as: .discovery)])
  }

  /// Follows a watch until `take` wants no more, or the server ends it.
  ///
  /// - Parameters:
  ///   - path: of a collection.
  ///   - query: selectors, and from where on.
  ///   - form: of the objects in the events.
  ///   - take: gets the type and the object of each event; false ends the watch.
  /// - Returns: false where `take` ended it.
  /// - Throws: `ClientFailure`, and what `take` throws.
  package func watch(
    _ path: String, query: [(String, String)], as form: Form = .json,
    _ take: (String, JSONValue) async throws -> Bool
  ) async throws -> Bool {
    let response = try await execute(
      request(.GET, path, query + [("watch", "true")], nil, form), deadline: .distantFuture)
    guard response.status == .ok else {
      let bytes = try? await response.body.collect(upTo: 1 << 20)
      throw refusal(
        response.status, bytes.flatMap { try? JSONValue(parsing: Array(buffer: $0)) })
    }
    var lines = LineBuffer()
    // What `take` throws is its caller's, what the body throws is the connection's.
    var outcome = Result<Bool, any Error>.success(true)
    do {
      chunks: for try await chunk in response.body {
        for line in lines.take(chunk.readableBytesView) {
          do {
            let (type, object) = try Self.event(line)
            if try await take(type, object) { continue }
            outcome = .success(false)
          } catch {
            outcome = .failure(error)
          }
          break chunks
        }
      }
    } catch {
      if Task.isCancelled { throw CancellationError() }
      throw failure(error)
    }
    return try outcome.get()
  }

  private static func event(_ line: [UInt8]) throws(ClientFailure) -> (String, JSONValue) {
    let event = try? JSONValue(parsing: line)
    guard let type = event?["type"]?.stringValue, let object = event?["object"] else {
      throw .unreachable("a line of a watch that is no event")
    }
    if type == "ERROR", let status = ServerStatus(object) { throw .server(status) }
    return (type, object)
  }

  private func request(
    _ method: HTTPMethod, _ path: String, _ query: [(String, String)], _ body: Body?, _ form: Form
  ) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: settings.server + path + URLText.query(query))
    request.method = method
    request.headers.add(name: "user-agent", value: "skiffctl/\(Version.current)")
    request.headers.add(name: "accept", value: form.rawValue)
    if let token = settings.token {
      request.headers.add(name: "authorization", value: "Bearer \(token)")
    }
    if let body {
      request.headers.add(name: "content-type", value: body.type)
      request.body = .bytes(ByteBuffer(bytes: body.json.bytes()))
    }
    return request
  }

  private func execute(
    _ request: HTTPClientRequest, deadline: NIODeadline
  ) async throws(ClientFailure) -> HTTPClientResponse {
    do { return try await http.execute(request, deadline: deadline) } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: any Error) -> ClientFailure {
    ClientFailure(transport: error, server: settings.server)
  }

  /// An answer that is no success.
  private func refusal(_ status: HTTPResponseStatus, _ json: JSONValue?) -> ClientFailure {
    if let status = json.flatMap({ ServerStatus($0) }) { return .server(status) }
    return .local(
      "\(settings.server) answers \(status.code) and is no Kubernetes API; "
        + "it is what skiffd serves on --api-address")
  }
}
