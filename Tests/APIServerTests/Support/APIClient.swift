// SPDX-License-Identifier: Apache-2.0

import APIServer
import HTTPTypes
import Hummingbird
import JSON
import Logging
import Manifests
import NIOCore
import NIOEmbedded
import ObjectStore

/// The API without a socket: one request, its whole answer.
struct APIClient {
  struct Answer {
    var status: Int
    var json: JSONValue
    var warnings: [String]
    var contentType: String

    var message: String { json["message"]?.stringValue ?? "" }
    var version: String { json["metadata"]?["resourceVersion"]?.stringValue ?? "" }
  }

  let server: APIServer
  let store: any Store

  /// The beginning of 2026.
  static let now: Int64 = 1_767_225_600

  init(store: any Store = MemoryStore()) {
    self.store = store
    server = APIServer(
      store: store, reader: ManifestReader(), tokens: nil, now: { Self.now },
      clock: ContinuousClock(),
      logger: Logger(label: "test"))
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil,
    type: String? = nil, text: String? = nil, accept: String? = nil
  ) async -> Answer {
    var headers: HTTPFields = [.userAgent: "tests/1.0"]
    if let type = type ?? (body == nil ? nil : "application/json") { headers[.contentType] = type }
    if let accept { headers[.accept] = accept }
    let bytes = body?.bytes() ?? Array((text ?? "").utf8)
    let request = Request(
      head: HTTPRequest(
        method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers),
      body: RequestBody(buffer: ByteBuffer(bytes: bytes)))
    let context = APIRequestContext(
      source: .init(channel: NIOAsyncTestingChannel(), logger: Logger(label: "test")))
    let response = await server.respond(to: request, context: context)
    let collected = Collected()
    try? await response.body.write(collected)
    let warnings = HTTPField.Name("Warning").map { response.headers[values: $0] } ?? []
    return Answer(
      status: response.status.code, json: (try? JSONValue(parsing: collected.bytes)) ?? .null,
      warnings: warnings, contentType: response.headers[.contentType] ?? "")
  }

  func get(_ path: String) async -> Answer { await send(.get, path) }

  static let plugins = "/apis/extensions.istio.io/v1alpha1/namespaces/default/wasmplugins"

  /// A plugin that is good as it is.
  static func plugin(
    _ name: String, spec: JSONValue = ["url": "file:///a.wasm"], labels: [String: String] = [:]
  ) -> JSONValue {
    [
      "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
      "metadata": ["name": .string(name), "labels": .object(strings: labels)], "spec": spec,
    ]
  }
}

/// What is written of a body.
private final class Collected: ResponseBodyWriter {
  private(set) var bytes: [UInt8] = []

  func write(_ buffer: ByteBuffer) async throws { bytes += buffer.readableBytesView }

  func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
