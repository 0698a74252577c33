// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1

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
    let client = HTTPClient.shared
    let response: HTTPClientResponse
    do {
      response = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
    } catch {
      throw CommandFailure("cannot reach skiffd at \(address): \(error); see --skiffd")
    }
    let body = try await response.body.collect(upTo: 1 << 30)
    guard response.status == .ok else {
      throw CommandFailure("skiffd answered \(response.status.code): \(Self.message(in: body))")
    }
    return try JSONValue(parsing: Array(buffer: body))
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
