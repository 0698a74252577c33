// SPDX-License-Identifier: Apache-2.0

package import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import Serving

/// Envoy's administration interface, as far as its agent needs it.
///
/// https://www.envoyproxy.io/docs/envoy/latest/operations/admin
package struct EnvoyAdmin: Sendable {
  /// What was asked for did not come.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private let address: HostPort
  private let client: HTTPClient

  package init(address: HostPort, client: HTTPClient) {
    self.address = address
    self.client = client
  }

  /// For the client: an Envoy that is not there is told at once, and not after the request's time.
  package static var clientConfiguration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    return configuration
  }

  /// Whether Envoy has its first configuration and takes connections.
  func isLive() async -> Bool {
    guard let body = try? await text(.GET, "/ready", within: .seconds(2)) else { return false }
    return body.hasPrefix("LIVE")
  }

  /// Asks listeners to let go of their connections bit by bit; those that come are still accepted.
  func drainListeners(inboundOnly: Bool) async throws {
    let query = inboundOnly ? "inboundonly&graceful" : "graceful"
    _ = try await text(.POST, "/drain_listeners?\(query)", within: .seconds(5))
  }

  /// Connections of clients, those of this interface aside.
  func activeConnections() async throws -> Int {
    let path = "/stats?usedonly&filter=%5Elistener.*downstream_cx_active$"
    let lines = try await text(.GET, path, within: .seconds(5)).split(separator: "\n")
    return lines.reduce(0) { sum, line in
      // Each worker counts its part of the same connections again.
      guard !line.hasPrefix("listener.admin."), !line.contains(".worker_"),
        let colon = line.lastIndex(of: ":")
      else { return sum }
      return sum + (Int(line[line.index(after: colon)...].drop { $0 == " " }) ?? 0)
    }
  }

  /// All statistics in the Prometheus text format, as they come.
  func statistics() async throws -> HTTPClientResponse.Body {
    try await response(.GET, "/stats/prometheus", within: .seconds(10)).body
  }

  private func text(
    _ method: HTTPMethod, _ path: String, within limit: TimeAmount
  ) async throws -> String {
    String(buffer: try await response(method, path, within: limit).body.collect(upTo: 1 << 20))
  }

  private func response(
    _ method: HTTPMethod, _ path: String, within limit: TimeAmount
  ) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: "http://\(address)\(path)")
    request.method = method
    let response = try await client.execute(request, timeout: limit)
    guard response.status == .ok else {
      throw Failure(description: "\(path) of Envoy's admin interface answered \(response.status)")
    }
    return response
  }
}
