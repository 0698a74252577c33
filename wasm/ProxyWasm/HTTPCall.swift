// SPDX-License-Identifier: Apache-2.0
// Requests that a plugin sends itself, to a cluster that the proxy knows. The answer comes later,
// while the stream that asked is usually paused.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#http-calls

/// A call on its way: who gets the answer.
struct HTTPCall {
  let contextID: UInt32
  let completion: (HTTPCallResponse) -> Void
}

/// What came back; to be read within the completion only.
struct HTTPCallResponse {
  /// 0 if the call failed: no connection, a reset, a timeout.
  let headerCount: Int
  let bodySize: Int
  let trailerCount: Int

  var isFailure: Bool { headerCount == 0 }
  var headers: HeaderMap { HeaderMap(.httpCallResponseHeaders) }
  var trailers: HeaderMap { HeaderMap(.httpCallResponseTrailers) }
  var body: Buffer { Buffer(.httpCallResponseBody) }

  /// The HTTP status; nil if the call failed.
  var status: Int? { headers[":status"].flatMap { Int($0) } }
}

extension Context {
  /// Sends a request to a cluster, by the proxy's name for it: `outbound|80||auth.example.com`.
  ///
  /// `headers` need `:method`, `:path` and `:authority`; `timeout` is in milliseconds. `completion`
  /// is called once, unless this context ends before; host calls in it act on this context again.
  /// Throws `badArgument` for an unknown cluster or a missing pseudo-header, `internalFailure` if
  /// the request could not be sent.
  final func httpCall(
    _ cluster: String, headers: HTTPFields, body: some Payload = "", trailers: HTTPFields = [:],
    timeout: UInt32 = 5000, completion: @escaping (HTTPCallResponse) -> Void
  ) throws(ProxyStatus) {
    var call: UInt32 = 0
    let (headers, trailers) = (headers.serialized, trailers.serialized)
    let status = cluster.withPayload { cluster, clusterSize in
      headers.withPayload { headers, headersSize in
        body.withPayload { body, bodySize in
          trailers.withPayload { trailers, trailersSize in
            hostHttpCall(
              cluster, clusterSize, headers, headersSize, body, bodySize, trailers, trailersSize,
              timeout, &call)
          }
        }
      }
    }
    try ProxyStatus.check(status)
    Plugin.current.await(HTTPCall(contextID: id, completion: completion), id: call)
  }
}
