// SPDX-License-Identifier: Apache-2.0
// One HTTP request and its response on their way through the proxy: the class that a filter
// inherits from. Every callback is optional and lets the stream go on unless it says otherwise.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#http

class HTTPContext: Context {
  /// Request headers have come.
  ///
  /// `endOfStream` says that neither body nor trailers follow.
  func onRequestHeaders(count: Int, endOfStream: Bool) -> Action { .continue }

  /// A chunk of the request's body, or, after a pause, all of it so far.
  ///
  /// `size` is what can be read.
  func onRequestBody(size: Int, endOfStream: Bool) -> Action { .continue }

  func onRequestTrailers(count: Int) -> Action { .continue }

  /// Response headers have come, from upstream or from a filter behind this one.
  func onResponseHeaders(count: Int, endOfStream: Bool) -> Action { .continue }

  /// A chunk of the response's body, or, after a pause, all of it so far.
  func onResponseBody(size: Int, endOfStream: Bool) -> Action { .continue }

  func onResponseTrailers(count: Int) -> Action { .continue }

  final var requestHeaders: HeaderMap { HeaderMap(.requestHeaders) }
  final var requestTrailers: HeaderMap { HeaderMap(.requestTrailers) }
  final var responseHeaders: HeaderMap { HeaderMap(.responseHeaders) }
  final var responseTrailers: HeaderMap { HeaderMap(.responseTrailers) }
  final var requestBody: Buffer { Buffer(.requestBody) }
  final var responseBody: Buffer { Buffer(.responseBody) }

  /// Answers the request from here; upstream does not see it.
  ///
  /// Return `pause` afterwards. `details` is what the proxy's access log shows as response code
  /// details; without a `grpcStatus` the proxy derives one for a gRPC client.
  @discardableResult
  final func sendLocalResponse(
    status: UInt32, headers: HTTPFields = [:], body: some Payload = "", details: String = "",
    grpcStatus: Int32? = nil
  ) -> ProxyStatus {
    details.withPayload { details, detailsSize in
      body.withPayload { body, bodySize in
        headers.serialized.withPayload { headers, headersSize in
          ProxyStatus(
            code: hostSendLocalResponse(
              status, details, detailsSize, body, bodySize, headers, headersSize, grpcStatus ?? -1))
        }
      }
    }
  }

  /// Lets a request go on that a callback has paused.
  @discardableResult
  final func continueRequest() -> ProxyStatus { resume(.request) }

  /// Lets a response go on that a callback has paused.
  @discardableResult
  final func continueResponse() -> ProxyStatus { resume(.response) }

  /// Resets the stream.
  @discardableResult
  final func close(_ stream: StreamType) -> ProxyStatus {
    makeEffective()
    return ProxyStatus(code: hostCloseStream(stream.rawValue))
  }

  private final func resume(_ stream: StreamType) -> ProxyStatus {
    makeEffective()
    return ProxyStatus(code: hostContinueStream(stream.rawValue))
  }
}
