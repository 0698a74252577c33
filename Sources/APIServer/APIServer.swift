// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
package import Hummingbird
import JSON
package import Logging
package import Manifests
import NIOCore
package import ObjectStore

/// The control API: Kubernetes' REST API for the kinds of the mesh, such that a stock kubectl uses it.
///
/// https://kubernetes.io/docs/reference/using-api/api-concepts/
package struct APIServer: HTTPResponder, HTTPResponderBuilder {
  package typealias Context = APIRequestContext

  let catalog: Catalog
  let discovery: Discovery
  let openAPI: OpenAPI
  let writer: ObjectWriter
  let shelf: ObjectShelf
  let tokens: BearerTokens?
  let clock: any Clock<Duration>
  let logger: Logger

  /// Bytes of a request's body, as in Kubernetes.
  static let bodyLimit = 3 << 20

  /// - Parameters:
  ///   - store: where the objects are.
  ///   - reader: judges what clients write.
  ///   - tokens: nil lets everyone in who can connect.
  ///   - now: the time in seconds since the Unix epoch.
  ///   - clock: measures timeouts.
  ///   - logger: where to tell; never what a request holds.
  package init(
    store: any Store, reader: ManifestReader, tokens: BearerTokens?,
    now: @escaping @Sendable () -> Int64,
    clock: any Clock<Duration>, logger: Logger
  ) {
    catalog = Catalog()
    discovery = Discovery(catalog: catalog)
    openAPI = OpenAPI(catalog)
    writer = ObjectWriter(
      store: store, catalog: catalog, admission: Admission(reader: reader), now: now)
    shelf = ObjectShelf(
      store: store, catalog: catalog, definitions: Definitions(catalog, created: now()))
    self.tokens = tokens
    self.clock = clock
    self.logger = logger
  }

  package func buildResponder() -> Self { self }

  package func respond(to request: Request, context: Context) async -> Response {
    do {
      return try await answer(request, context)
    } catch let status as APIStatus {
      return Self.json(status.json, status: status.code)
    } catch {
      // What a request held is nowhere in the log.
      logger.error("A request failed.", metadata: ["method": "\(request.method)"])
      return Self.json(APIStatus.internalError("\(type(of: error))").json, status: 500)
    }
  }

  private func answer(_ request: Request, _ context: Context) async throws -> Response {
    let path = request.uri.path
    if let tokens, !["/healthz", "/livez", "/readyz"].contains(path),
      !tokens.allow(authorization: request.headers[.authorization])
    {
      throw APIStatus.unauthorized
    }
    let parts = path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
    if let response = try documents(parts, request) { return response }
    let target = try self.target(parts)
    return try await answer(request, context, about: target, Query(request.uri.query))
  }

  static func json(
    _ value: JSONValue, status: Int = 200, contentType: String = "application/json",
    warnings: [String] = []
  ) -> Response {
    var headers: HTTPFields = [.contentType: contentType]
    if let name = HTTPField.Name("Warning") {
      headers[values: name] = warnings.map { "299 - \(Self.quoted($0))" }
    }
    return Response(
      status: .init(code: status), headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.bytes() + [UInt8(ascii: "\n")])))
  }

  /// A quoted string of a header (https://www.rfc-editor.org/rfc/rfc9110#name-quoted-strings).
  private static func quoted(_ text: String) -> String {
    let plain = text.map { $0.isNewline || $0 == "\t" ? " " : $0 }
      .filter { $0.asciiValue.map { (0x20..<0x7F).contains($0) } ?? true }
    let escaped = plain.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    return "\"\(escaped)\""
  }
}
