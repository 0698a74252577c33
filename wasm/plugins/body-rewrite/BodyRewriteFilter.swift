// SPDX-License-Identifier: Apache-2.0
// One request and its response. The end of a piece that has to wait for the next one is kept here,
// and what is settled goes on: holding pieces in the proxy instead would overflow its buffers when
// a large one follows. But a body that ends in trailers gets no last piece, and trailers are too
// late to add to it. So a response that announces trailers is held in the proxy as long as it is
// small, where its end can still be changed; one that brings them unannounced while something is
// kept is reset, for a client must not take a cut body for a whole one.

final class BodyRewriteFilter: HTTPContext {
  /// The most that is held in the proxy, in bytes: well below its buffers, 1 MiB by default.
  private static let mostHeld = 65_536

  private let settings: Settings
  private var received = 0
  /// Nil as long as the response is passed as it is.
  private var replacements: Replacements?
  /// The end of what came: less than the longest text.
  private var kept: [UInt8] = []
  private var announcesTrailers = false
  private var isHeld = false

  init(_ settings: Settings) {
    self.settings = settings
  }

  override func onRequestHeaders(count: Int, endOfStream: Bool) -> Action {
    if let text = requestHeaders["content-length"], let length = Int(text),
      length > settings.maxRequestBytes
    {
      return refuse()
    }
    if settings.replacements != nil {
      requestHeaders.remove("accept-encoding")
      requestHeaders.remove("range")
    }
    return .continue
  }

  override func onRequestBody(size: Int, endOfStream: Bool) -> Action {
    received += size
    return received > settings.maxRequestBytes ? refuse() : .continue
  }

  override func onResponseHeaders(count: Int, endOfStream: Bool) -> Action {
    guard !endOfStream, settings.covers(contentType: responseHeaders.bytes(of: "content-type"))
    else { return .continue }
    let encoding = responseHeaders["content-encoding"]
    let isPartial = responseHeaders.bytes(of: "content-range") != nil
    guard encoding == nil, !isPartial else {
      log(.warn, "not rewritten: \(encoding.map { "encoded as \($0)" } ?? "a partial response")")
      return .continue
    }
    replacements = settings.replacements
    if replacements != nil {
      announcesTrailers = responseHeaders.bytes(of: "trailer") != nil
      // None of these is true of what the client will get.
      for name in ["content-length", "content-md5", "digest", "content-digest", "repr-digest"] {
        responseHeaders.remove(name)
      }
      responseHeaders.remove("accept-ranges")
    }
    return .continue
  }

  override func onResponseBody(size: Int, endOfStream: Bool) -> Action {
    guard let replacements else { return .continue }
    let input = kept + responseBody.bytes
    let result = replacements.rewrite(input, last: endOfStream)
    isHeld =
      result.waiting > 0 && announcesTrailers && kept.isEmpty && input.count <= Self.mostHeld
    if isHeld { return .pause }
    kept = [UInt8](input.suffix(result.waiting))
    responseBody.set(result.output)
    return .continue
  }

  override func onResponseTrailers(count: Int) -> Action {
    guard kept.isEmpty else {
      log(.error, "trailers after a body that ends within a text: reset")
      close(.response)
      return .pause
    }
    if isHeld, let replacements {
      isHeld = false
      responseBody.set(replacements.rewrite(responseBody.bytes, last: true).output)
    }
    return .continue
  }

  private func refuse() -> Action {
    sendLocalResponse(
      status: 413, body: "The request body is longer than \(settings.maxRequestBytes) bytes.\n",
      details: "body_rewrite_too_long")
    return .pause
  }
}
