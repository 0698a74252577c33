// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// An HTTP response whose body has not been read yet.
struct HTTPAnswer {
  /// Where the answer came from, after redirects.
  var url: HTTPURL
  var status: Int
  private var phrase: String
  private var headers: HTTPHeaders
  private var body: HTTPClientResponse.Body

  init(_ response: HTTPClientResponse, from url: HTTPURL) {
    self.url = url
    status = Int(response.status.code)
    phrase = response.status.reasonPhrase
    headers = response.headers
    body = response.body
  }

  /// The values of a header, in order.
  func header(_ name: String) -> [String] { headers[name] }

  /// The error that an answer other than 200 is, worth another try as Istio decides it.
  ///
  /// Beyond Istio, 408 and 429 are worth one, too, and `Retry-After` in seconds is respected.
  func failure(_ kind: ModuleError.Kind, remedy: String? = nil) -> ModuleError {
    var error = ModuleError(
      kind, "\(url): status \(status) \(phrase)" + (remedy.map { "; \($0)" } ?? ""),
      isRetryable: status >= 500 && ![501, 505, 511].contains(status) || status == 408
        || status == 429)
    if error.isRetryable, let seconds = headers.first(name: "retry-after").flatMap({ Int($0) }) {
      error.hint = .retryAfter(.seconds(max(0, min(seconds, 86400))))
    }
    return error
  }

  /// Hands the body on as it comes.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that are taken; a longer body is refused, before it is read if its
  ///     length is announced.
  ///   - each: takes a piece.
  /// - Throws: `download_failure`, retryable if the body broke off.
  func read(
    limit: Int, _ each: (ByteBuffer) async throws(ModuleError) -> Void
  ) async throws(ModuleError) {
    let announced = headers.first(name: "content-length").flatMap { Int($0) }
    if let announced, announced > limit {
      throw ModuleError.tooLarge(limit: limit, what: "the body of \(announced) bytes").about(url)
    }
    var count = 0
    var pieces = body.makeAsyncIterator()
    while true {
      let piece: ByteBuffer?
      do {
        piece = try await pieces.next()
      } catch {
        let whole = announced.map { " of \($0)" } ?? ""
        throw ModuleError(
          .downloadFailure, "\(url): the body broke off after \(count)\(whole) bytes",
          isRetryable: true)
      }
      guard let piece else { return }
      count += piece.readableBytes
      if count > limit { throw ModuleError.tooLarge(limit: limit, what: "the body").about(url) }
      try await each(piece)
    }
  }

  /// The whole of a small body.
  func bytes(limit: Int) async throws(ModuleError) -> [UInt8] {
    var bytes: [UInt8] = []
    try await read(limit: limit) { (piece) throws(ModuleError) in
      bytes += piece.readableBytesView
    }
    return bytes
  }
}
