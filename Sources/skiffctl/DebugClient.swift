// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks the debug pages of a running `skiffd`.
struct DebugClient {
  let address: String

  /// Gets a page as JSON.
  ///
  /// - Parameter path: from the root, with its query: `/debug/syncz`.
  /// - Returns: the page.
  /// - Throws: A sentence for the person at the terminal.
  func get(_ path: String) async throws -> JSONValue {
    let url = "http://\(address)\(path)"
    var configuration = HTTPClient.Configuration()
    // Who asks at a terminal wants to know at once, not when a time is up.
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(
      eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    let result = await Self.result(of: url, client)
    try await client.shutdown()
    switch result {
    case .success((.ok, let body)):
      return try JSONValue(parsing: Array(buffer: body))
    case .success((let status, let body)):
      throw CommandFailure("skiffd answered \(status.code): \(Self.message(in: body))")
    case .failure(let error):
      throw CommandFailure("cannot reach skiffd at \(address): \(Self.reason(error)); see --skiffd")
    }
  }

  private static func result(
    of url: String, _ client: HTTPClient
  ) async -> Result<(HTTPResponseStatus, ByteBuffer), any Error> {
    do {
      let request = HTTPClientRequest(url: url)
      let response = try await client.execute(request, timeout: .seconds(30))
      return .success((response.status, try await response.body.collect(upTo: 1 << 30)))
    } catch {
      return .failure(error)
    }
  }

  /// The libraries' errors in the words of the system.
  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      if let dns = error.dnsAError ?? error.dnsAAAAError {
        "the name cannot be resolved (\(dns))"
      } else {
        error.connectionErrors.first.map { reason($0.error) } ?? "no address answers"
      }
    case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
    case let error as HTTPClientError: error.shortDescription.lowercased()
    default: "\(error)"
    }
  }

  /// The sentence inside the error body of the HTTP server.
  private static func message(in body: ByteBuffer) -> String {
    let error = try? JSONValue(parsing: Array(buffer: body))
    return error?["error"]?["message"]?.stringValue ?? String(buffer: body)
  }
}

/// An error of a command, as one sentence.
struct CommandFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
